/// What a convolution maps to what: square kernel of odd size, padded with zeros so that stride 1 keeps
/// the plane's size.
public struct ConvolutionGeometry: Equatable, Sendable {
    public let input: Shape
    public let outputChannels: Int
    /// The kernel's pixels a side, 1 or 3.
    public let kernel: Int
    /// Pixels from one input to the next, 1 or 2.
    public let stride: Int

    public init(input: Shape, outputChannels: Int, kernel: Int, stride: Int) {
        self.input = input
        self.outputChannels = outputChannels
        self.kernel = kernel
        self.stride = stride
    }

    public var padding: Int { kernel / 2 }

    public var output: Shape {
        Shape(
            input.images, (input.height - 1) / stride + 1, (input.width - 1) / stride + 1, outputChannels)
    }

    /// Weights, in the layout (kernel row, kernel column, in, out).
    public var weightCount: Int { kernel * kernel * input.channels * outputChannels }

    /// Multiplications of one pass over all images.
    public var multiplications: Int { output.positions * kernel * kernel * input.channels * outputChannels }

    /// Images that a slice works on together: enough positions that a block of weights in the
    /// first-level cache is used often, few enough that their planes stay in the second-level cache.
    var imagesPerSlice: Int { max(1, 128 / (output.height * output.width)) }

    var slices: Int { (input.images + imagesPerSlice - 1) / imagesPerSlice }

    /// The images of slice `index`.
    func images(ofSlice index: Int) -> Range<Int> {
        index * imagesPerSlice..<min(input.images, (index + 1) * imagesPerSlice)
    }

    /// The geometry whose forward pass is this one's data gradient (stride 1).
    var transposed: ConvolutionGeometry {
        ConvolutionGeometry(
            input: output, outputChannels: input.channels, kernel: kernel, stride: 1)
    }
}

/// The outputs of `range` whose input, `offset` from where the stride has taken them, lies in `0..<limit`.
///
/// Every division here has a numerator that is not negative: others would be rounded up, to an output too many.
func outputs(_ range: Range<Int>, stride: Int, offset: Int, limit: Int) -> Range<Int> {
    guard offset < limit else { return range.lowerBound..<range.lowerBound }
    let lower = max(range.lowerBound, offset < 0 ? (stride - 1 - offset) / stride : 0)
    let upper = min(range.upperBound, (limit - 1 - offset) / stride + 1)
    return lower..<max(lower, upper)
}
