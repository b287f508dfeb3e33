/// The largest value of each square of the plane, by channel; of equal ones the first.
public final class MaxPooling: Layer {
    private let kernel: Int
    private let stride: Int
    private var input = Shape(rows: 0, columns: 0)
    /// The pixel of the image that each output's value is of: with the channel, a place might be no 32-bit number.
    private var places: Tensor?

    /// - Parameters:
    ///   - kernel: an odd number of pixels a side; padded by half of it, as if with nothing.
    ///   - stride: pixels from one square to the next.
    public init(kernel: Int, stride: Int) {
        self.kernel = kernel
        self.stride = stride
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        let shape = input.shape
        self.input = shape
        let output = pass.workspace.tensor(
            Shape(
                shape.images, (shape.height - 1) / stride + 1, (shape.width - 1) / stride + 1,
                shape.channels))
        let places = pass.workspace.tensor(output.shape)
        self.places = places
        let count = output.count / shape.images
        pass.program.add("max pooling", slices: shape.images) { [kernel, stride] image, _ in
            let source = input.pointer + image * (input.count / shape.images)
            let (target, kept) = (output.pointer + image * count, places.pointer + image * count)
            let padding = kernel / 2
            for y in 0..<output.shape.height {
                let rows = max(0, y * stride - padding)..<min(shape.height, y * stride - padding + kernel)
                for x in 0..<output.shape.width {
                    let columns =
                        max(0, x * stride - padding)..<min(shape.width, x * stride - padding + kernel)
                    let out = (y * output.shape.width + x) * shape.channels
                    for c in 0..<shape.channels {
                        var best = rows.lowerBound * shape.width + columns.lowerBound
                        var largest = source[best * shape.channels + c]
                        for row in rows {
                            for column in columns {
                                let pixel = row * shape.width + column
                                let value = source[pixel * shape.channels + c]
                                // NaN stays NaN.
                                if value > largest || value.isNaN { (best, largest) = (pixel, value) }
                            }
                        }
                        target[out + c] = largest
                        kept[out + c] = Float(bitPattern: UInt32(best))
                    }
                }
            }
        }
        pass.releaseUnlessKept(places)
        return output
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let (places, input) = (places!, input)
        let result = pass.workspace.tensor(input)
        let (size, count) = (input.count / input.images, gradient.count / input.images)
        pass.program.add("max pooling gradient", slices: input.images) { image, _ in
            let target = result.pointer + image * size
            target.update(repeating: 0, count: size)
            for i in image * count..<(image + 1) * count {
                let pixel = Int(places.pointer[i].bitPattern)
                target[pixel * input.channels + i % input.channels] += gradient.pointer[i]
            }
        }
        pass.workspace.release(gradient)
        pass.workspace.release(places)
        return result
    }
}
