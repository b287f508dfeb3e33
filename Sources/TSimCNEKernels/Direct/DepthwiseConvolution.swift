/// A convolution of each channel by itself, on images of channels side by side; odd kernel, padded with zeros. Weights
/// are (kernel row, kernel column, channel).
public struct DepthwiseConvolution: Sendable {
    let height: Int
    let width: Int
    let channels: Int
    let kernel: Int
    let stride: Int

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

    /// One image.
    public func forward(
        _ input: UnsafePointer<Float>, weight: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
    ) {
        for y in 0..<outputHeight {
            let rows = taps(y, height)
            for x in 0..<outputWidth {
                let columns = taps(x, width)
                let target = output + (y &* outputWidth &+ x) &* channels
                forEachBlock { channel, lanes in
                    var sum = Lanes.zero
                    for i in rows.taps {
                        let row = (rows.first &+ i) &* width
                        for j in columns.taps {
                            let place = (row &+ columns.first &+ j) &* channels &+ channel
                            let tap = (i &* kernel &+ j) &* channels &+ channel
                            sum = fma(input.lanes(place), weight.lanes(tap), sum)
                        }
                    }
                    (target + channel).storeFirst(lanes, sum)
                }
            }
        }
    }

    /// The gradient with respect to one image.
    public func backward(
        _ gradient: UnsafePointer<Float>, weight: UnsafePointer<Float>,
        into result: UnsafeMutablePointer<Float>
    ) {
        let columnsOf = (0..<width).map { sources($0, outputWidth) }
        for y in 0..<height {
            let rows = sources(y, outputHeight)
            for x in 0..<width {
                let columns = columnsOf[x]
                let target = result + (y &* width &+ x) &* channels
                forEachBlock { channel, lanes in
                    var sum = Lanes.zero
                    for (i, row) in rows {
                        for (j, column) in columns {
                            let place = (row &* outputWidth &+ column) &* channels &+ channel
                            let tap = (i &* kernel &+ j) &* channels &+ channel
                            sum = fma(gradient.lanes(place), weight.lanes(tap), sum)
                        }
                    }
                    (target + channel).storeFirst(lanes, sum)
                }
            }
        }
    }

    /// Adds one image's part of the weights' gradient.
    public func addWeightGradient(
        _ input: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>,
        into result: UnsafeMutablePointer<Float>
    ) {
        for i in 0..<kernel {
            for j in 0..<kernel {
                let columns = outputs(tap: j, width, outputWidth)
                forEachBlock { channel, lanes in
                    let target = result + ((i &* kernel &+ j) &* channels &+ channel)
                    var sum = Lanes.zero
                    for y in outputs(tap: i, height, outputHeight) {
                        let row = (y &* stride &+ i &- kernel / 2) &* width
                        for x in columns {
                            let place = (row &+ x &* stride &+ j &- kernel / 2) &* channels &+ channel
                            let out = (y &* outputWidth &+ x) &* channels &+ channel
                            sum = fma(input.lanes(place), gradient.lanes(out), sum)
                        }
                    }
                    for lane in 0..<lanes { target[lane] += sum[lane] }
                }
            }
        }
    }

    /// Where the first tap of an output lies, and which taps lie inside.
    @inline(__always)
    private func taps(_ output: Int, _ size: Int) -> (first: Int, taps: Range<Int>) {
        let first = output &* stride &- kernel / 2
        return (first, max(0, 0 &- first)..<min(kernel, size &- first))
    }

    /// Which outputs a place is in, and by which tap.
    private func sources(_ place: Int, _ outputs: Int) -> [(tap: Int, output: Int)] {
        (0..<kernel).compactMap { tap in
            let reached = place + kernel / 2 - tap
            guard reached >= 0, reached % stride == 0, reached / stride < outputs else { return nil }
            return (tap, reached / stride)
        }
    }

    /// Outputs of which a tap lies inside.
    private func outputs(tap: Int, _ size: Int, _ outputs: Int) -> Range<Int> {
        let shift = kernel / 2 - tap
        let first = max(0, (shift + stride - 1) / stride)
        let last = min(outputs, (size - 1 + shift) / stride + 1)
        return first..<max(first, last)
    }

    @inline(__always)
    private func forEachBlock(_ body: (_ channel: Int, _ lanes: Int) -> Void) {
        var channel = 0
        while channel < channels {
            body(channel, min(Lanes.scalarCount, channels &- channel))
            channel &+= Lanes.scalarCount
        }
    }
}
