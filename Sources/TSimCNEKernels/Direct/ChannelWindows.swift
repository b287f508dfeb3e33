/// Squares of a plane, an output for each, in which every channel is by itself: what a depthwise convolution and
/// pooling read. The plane is padded by half of a square.
public struct ChannelWindows: Sendable {
    let height: Int
    let width: Int
    let channels: Int
    let kernel: Int
    let stride: Int

    /// - Parameters:
    ///   - kernel: an odd number of pixels a side.
    ///   - stride: pixels from one square to the next.
    public init(height: Int, width: Int, channels: Int, kernel: Int, stride: Int) {
        self.height = height
        self.width = width
        self.channels = channels
        self.kernel = kernel
        self.stride = stride
    }

    public var outputHeight: Int { (height - 1) / stride + 1 }
    public var outputWidth: Int { (width - 1) / stride + 1 }
    public var outputCount: Int { outputHeight * outputWidth * channels }

    /// Where the first tap of an output lies, and which taps lie inside.
    @inline(__always)
    func taps(_ output: Int, _ size: Int) -> (first: Int, taps: Range<Int>) {
        let first = output &* stride &- kernel / 2
        return (first, max(0, 0 &- first)..<min(kernel, size &- first))
    }
}
