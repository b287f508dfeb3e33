import TSimCNEKernels

/// Convolution of each channel by itself, without bias; odd kernel, stride 1 or 2.
public final class DepthwiseConvolutionLayer: Layer {
    public let weight: Parameter
    private let kernel: Int
    private let stride: Int
    private let channels: Int
    private var input: Tensor?

    public var parameters: [Parameter] { [weight] }

    public init(_ name: String, channels: Int, kernel: Int, stride: Int) {
        self.kernel = kernel
        self.stride = stride
        self.channels = channels
        weight = Parameter("\(name).weight", shape: [kernel, kernel, 1, channels])
    }

    /// Draws He-normal weights by fan-out, which counts all channels, as PyTorch's does.
    public func initialize(_ random: inout RandomNumbers) {
        weight.fillNormal(deviation: (2 / Float(kernel * kernel * channels)).squareRoot(), &random)
    }

    func convolution(of shape: Shape) -> ChannelWindows {
        ChannelWindows(
            height: shape.height, width: shape.width, channels: channels, kernel: kernel, stride: stride)
    }

    /// Room for the outputs.
    func output(of convolution: ChannelWindows, images: Int, _ pass: Pass) -> Tensor {
        pass.workspace.tensor(Shape(images, convolution.outputHeight, convolution.outputWidth, channels))
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        self.input = input
        let shape = input.shape
        let convolution = convolution(of: shape)
        let output = output(of: convolution, images: shape.images, pass)
        let count = shape.count / shape.images
        pass.program.add("\(weight.name) forward", slices: shape.images) { [weight] image, _ in
            convolution.forward(
                input.pointer + image * count, weight: weight.value.pointer,
                into: output.pointer + image * convolution.outputCount)
        }
        return output
    }

    /// Appends the weights' gradient: `add` sums what the images of a slice make, of images of its own.
    func addWeightGradient(
        slices: Int, scratch: Int = 0, _ pass: Pass,
        _ add:
            @escaping (
                _ slice: Int, _ scratch: UnsafeMutablePointer<Float>, _ sums: UnsafeMutablePointer<Float>
            ) -> Void
    ) {
        let partial = pass.workspace.tensor(Shape(rows: slices, columns: weight.count))
        pass.program.add("\(weight.name) partial gradients", slices: slices, scratch: scratch) {
            [weight] slice, scratch in
            let sums = partial.pointer + slice * weight.count
            sums.update(repeating: 0, count: weight.count)
            add(slice, scratch, sums)
        }
        pass.program.addSum(
            "\(weight.name) gradient", of: partial.pointer, rows: slices, columns: weight.count,
            into: weight.gradient.pointer)
        pass.workspace.release(partial)
        pass.program.mark(.gradient(name: weight.name))
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let input = input!
        let images = input.shape.images
        let convolution = convolution(of: input.shape)
        let count = input.count / images
        let slices = min(images, 16)
        addWeightGradient(slices: slices, pass) { slice, _, sums in
            for image in slice * images / slices..<(slice + 1) * images / slices {
                convolution.addWeightGradient(
                    input.pointer + image * count, gradient.pointer + image * convolution.outputCount,
                    into: sums)
            }
        }
        defer { pass.workspace.release(gradient) }
        guard wantsInputGradient else { return nil }
        let result = pass.workspace.tensor(input.shape)
        pass.program.add("\(weight.name) data gradient", slices: images) { [weight] image, _ in
            convolution.backward(
                gradient.pointer + image * convolution.outputCount, weight: weight.value.pointer,
                into: result.pointer + image * count)
        }
        return result
    }
}
