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

    private func convolution(_ shape: Shape) -> DepthwiseConvolution {
        DepthwiseConvolution(
            height: shape.height, width: shape.width, channels: channels, kernel: kernel, stride: stride)
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        self.input = input
        let shape = input.shape
        let convolution = convolution(shape)
        let output = pass.workspace.tensor(
            Shape(shape.images, convolution.outputHeight, convolution.outputWidth, channels))
        let count = shape.count / shape.images
        pass.program.add("\(weight.name) forward", slices: shape.images) { [weight] image, _ in
            convolution.forward(
                input.pointer + image * count, weight: weight.value.pointer,
                into: output.pointer + image * convolution.outputCount)
        }
        return output
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let input = input!
        let images = input.shape.images
        let convolution = convolution(input.shape)
        let count = input.count / images
        // Each slice sums over images of its own.
        let slices = min(images, 16)
        let partial = pass.workspace.tensor(Shape(rows: slices, columns: weight.count))
        pass.program.add("\(weight.name) partial gradients", slices: slices) { [weight] slice, _ in
            let sums = partial.pointer + slice * weight.count
            sums.update(repeating: 0, count: weight.count)
            for image in slice * images / slices..<(slice + 1) * images / slices {
                convolution.addWeightGradient(
                    input.pointer + image * count, gradient.pointer + image * convolution.outputCount,
                    into: sums)
            }
        }
        pass.program.addSum(
            "\(weight.name) gradient", of: partial.pointer, rows: slices, columns: weight.count,
            into: weight.gradient.pointer)
        pass.workspace.release(partial)
        pass.program.mark(.gradient(name: weight.name))
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
