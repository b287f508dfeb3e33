import TSimCNEKernels

/// The largest value of each square of the plane, by channel; of equal ones the first.
public final class MaxPooling: Layer {
    private let kernel: Int
    private let stride: Int
    private var input = Shape(rows: 0, columns: 0)
    /// Which pixel of its square each output is.
    private var places: Tensor?

    /// - Parameters:
    ///   - kernel: an odd number of pixels a side; padded by half of it, as if with nothing.
    ///   - stride: pixels from one square to the next.
    public init(kernel: Int, stride: Int) {
        self.kernel = kernel
        self.stride = stride
    }

    private func pooling(_ shape: Shape) -> ChannelWindows {
        ChannelWindows(
            height: shape.height, width: shape.width, channels: shape.channels, kernel: kernel,
            stride: stride)
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        let shape = input.shape
        self.input = shape
        let pooling = pooling(shape)
        let output = pass.workspace.tensor(
            Shape(shape.images, pooling.outputHeight, pooling.outputWidth, shape.channels))
        let places = pass.workspace.tensor(output.shape)
        self.places = places
        pass.program.add("max pooling", slices: shape.images) { image, _ in
            let target = image * pooling.outputCount
            pooling.largest(
                input.pointer + image * (shape.count / shape.images), into: output.pointer + target,
                places: places.pointer + target)
        }
        pass.releaseUnlessKept(places)
        return output
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let (places, shape) = (places!, input)
        let pooling = pooling(shape)
        let result = pass.workspace.tensor(shape)
        pass.program.add("max pooling gradient", slices: shape.images) { image, _ in
            let source = image * pooling.outputCount
            pooling.largestGradient(
                gradient.pointer + source, places: places.pointer + source,
                into: result.pointer + image * (shape.count / shape.images))
        }
        pass.workspace.release(gradient)
        pass.workspace.release(places)
        return result
    }
}
