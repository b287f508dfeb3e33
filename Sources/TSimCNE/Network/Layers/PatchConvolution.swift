import TSimCNEKernels

/// Convolution with a kernel of any odd size and any stride, padded with zeros, as a product of patches and weights:
/// for the few layers that are neither 1×1 nor 3×3.
public final class PatchConvolution: Layer {
    public let weight: Parameter
    public let bias: Parameter?
    private let kernel: Int
    private let stride: Int
    private let inputs: Int
    private let outputs: Int
    private var input: Tensor?

    public var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

    public init(
        _ name: String, inputs: Int, outputs: Int, kernel: Int, stride: Int, hasBias: Bool = false
    ) {
        self.kernel = kernel
        self.stride = stride
        self.inputs = inputs
        self.outputs = outputs
        weight = Parameter("\(name).weight", shape: [kernel, kernel, inputs, outputs])
        bias = hasBias ? Parameter("\(name).bias", shape: [outputs]) : nil
    }

    /// Draws He-normal weights by fan-out.
    public func initialize(_ random: inout RandomNumbers) {
        weight.fillNormal(deviation: (2 / Float(kernel * kernel * outputs)).squareRoot(), &random)
        bias?.fill(0)
    }

    /// Values of a patch.
    private var depth: Int { kernel * kernel * inputs }

    private func output(of shape: Shape) -> Shape {
        Shape(shape.images, (shape.height - 1) / stride + 1, (shape.width - 1) / stride + 1, outputs)
    }

    /// Rows of outputs, of one or more images, whose patches stay in the second-level cache.
    private func rows(_ output: Shape) -> Int {
        max(1, min(output.images * output.height, 65536 / (output.width * depth)))
    }

    private func patchCount(_ output: Shape) -> Int { rows(output) * output.width * depth }

    /// Images of a slice: many where a plane is a pixel or two, since a slice brings the weights into order.
    private func imagesPerSlice(_ output: Shape) -> Int { max(1, rows(output) / output.height) }

    private func slices(_ output: Shape) -> Int {
        (output.images + imagesPerSlice(output) - 1) / imagesPerSlice(output)
    }

    private func images(ofSlice slice: Int, _ output: Shape) -> Range<Int> {
        let count = imagesPerSlice(output)
        return slice * count..<min(output.images, (slice + 1) * count)
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        self.input = input
        let output = pass.workspace.tensor(output(of: input.shape))
        let shape = output.shape
        let patches = patchCount(shape)
        pass.program.add(
            "\(weight.name) forward", slices: slices(shape),
            scratch: patches + gemmScratchCount(n: outputs, k: depth)
        ) { [self] slice, scratch in
            forEachBlock(of: images(ofSlice: slice, shape), shape) { rows in
                copyPatches(of: input, rows, shape, into: scratch)
                let target = output.pointer + rows.lowerBound * shape.width * outputs
                let positions = rows.count * shape.width
                if let bias {
                    for p in 0..<positions {
                        (target + p * outputs).update(from: bias.value.pointer, count: outputs)
                    }
                }
                // A fixed order of sums: a map's bits must not depend on the batch.
                gemm(
                    m: positions, n: outputs, k: depth, a: scratch, rowStrideA: depth, columnStrideA: 1,
                    b: weight.value.pointer, rowStrideB: outputs, columnStrideB: 1, c: target,
                    rowStrideC: outputs, accumulate: bias != nil, scratch: scratch + patches)
            }
        }
        return output
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        addWeightGradient(gradient, pass)
        defer { pass.workspace.release(gradient) }
        guard wantsInputGradient else { return nil }
        let (input, shape) = (input!, gradient.shape)
        let result = pass.workspace.tensor(input.shape)
        let patches = patchCount(shape)
        pass.program.add(
            "\(weight.name) data gradient", slices: slices(shape),
            scratch: patches + gemmScratchCount(n: depth, k: outputs)
        ) { [self] slice, scratch in
            let (images, count) = (images(ofSlice: slice, shape), input.count / shape.images)
            (result.pointer + images.lowerBound * count).update(repeating: 0, count: images.count * count)
            forEachBlock(of: images, shape) { rows in
                let source = gradient.pointer + rows.lowerBound * shape.width * outputs
                gemm(
                    m: rows.count * shape.width, n: depth, k: outputs, a: source, rowStrideA: outputs,
                    columnStrideA: 1, b: weight.value.pointer, rowStrideB: 1, columnStrideB: outputs,
                    c: scratch, rowStrideC: depth, accumulate: false, scratch: scratch + patches)
                forEachSpan(of: input.shape, rows, shape) { patch, place, values in
                    let target = result.pointer + place
                    for i in 0..<values { target[i] += scratch[patch + i] }
                }
            }
        }
        return result
    }

    private func addWeightGradient(_ gradient: Tensor, _ pass: Pass) {
        let (input, shape) = (input!, gradient.shape)
        // Each slice sums over images of its own.
        let slices = min(shape.images, 8)
        let partial = pass.workspace.tensor(Shape(rows: slices, columns: weight.count))
        let patches = patchCount(shape)
        pass.program.add(
            "\(weight.name) partial gradients", slices: slices,
            scratch: patches + gemmScratchCount(n: outputs, k: rows(shape) * shape.width)
        ) { [self] slice, scratch in
            let sums = partial.pointer + slice * weight.count
            sums.update(repeating: 0, count: weight.count)
            let images = slice * shape.images / slices..<(slice + 1) * shape.images / slices
            forEachBlock(of: images, shape) { rows in
                copyPatches(of: input, rows, shape, into: scratch)
                gemm(
                    m: depth, n: outputs, k: rows.count * shape.width, a: scratch, rowStrideA: 1,
                    columnStrideA: depth, b: gradient.pointer + rows.lowerBound * shape.width * outputs,
                    rowStrideB: outputs, columnStrideB: 1, c: sums, rowStrideC: outputs, accumulate: true,
                    scratch: scratch + patches)
            }
        }
        pass.program.addSum(
            "\(weight.name) gradient", of: partial.pointer, rows: slices, columns: weight.count,
            into: weight.gradient.pointer)
        if let bias {
            pass.program.add("\(bias.name) gradient", slices: outputs) { k, _ in
                var total = 0.0
                for p in 0..<shape.positions { total += Double(gradient.pointer[p * self.outputs + k]) }
                bias.gradient.pointer[k] = Float(total)
            }
        }
        pass.workspace.release(partial)
        for parameter in parameters { pass.program.mark(.gradient(name: parameter.name)) }
    }

    /// Calls `body` with rows of outputs, counted through all images.
    private func forEachBlock(of images: Range<Int>, _ output: Shape, _ body: (Range<Int>) -> Void) {
        let end = images.upperBound * output.height
        let rows = rows(output)
        for first in Swift.stride(from: images.lowerBound * output.height, to: end, by: rows) {
            body(first..<min(end, first + rows))
        }
    }

    /// Calls `body(patch, place, count)` for each run of values that a patch has from a row of an image: where
    /// they are among the patches, and in the images.
    private func forEachSpan(
        of input: Shape, _ rows: Range<Int>, _ output: Shape, _ body: (Int, Int, Int) -> Void
    ) {
        let padding = kernel / 2
        for line in rows {
            let (image, y) = line.quotientAndRemainder(dividingBy: output.height)
            for x in 0..<output.width {
                let patch = ((line - rows.lowerBound) * output.width + x) * depth
                let left = x * stride - padding
                let (first, last) = (max(0, -left), min(kernel, input.width - left))
                for k in 0..<kernel {
                    let row = y * stride + k - padding
                    guard row >= 0, row < input.height, first < last else { continue }
                    body(
                        patch + (k * kernel + first) * inputs,
                        ((image * input.height + row) * input.width + left + first) * inputs,
                        (last - first) * inputs)
                }
            }
        }
    }

    private func copyPatches(
        of input: Tensor, _ rows: Range<Int>, _ output: Shape, into patches: UnsafeMutablePointer<Float>
    ) {
        patches.update(repeating: 0, count: rows.count * output.width * depth)
        forEachSpan(of: input.shape, rows, output) { patch, place, count in
            (patches + patch).update(from: input.pointer + place, count: count)
        }
    }
}
