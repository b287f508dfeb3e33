/// A convolution of each channel by itself, on images of channels side by side. Weights are (kernel row, kernel column,
/// channel).
extension ChannelWindows {
    /// Writes the outputs of one image.
    public func forward(
        _ input: UnsafePointer<Float>, weight: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
    ) {
        gather(input, weight: weight, isTurned: false, into: output)
    }

    /// The gradient with respect to one image.
    public func backward(
        _ gradient: UnsafePointer<Float>, weight: UnsafePointer<Float>,
        into result: UnsafeMutablePointer<Float>
    ) {
        if stride == 1 { return gather(gradient, weight: weight, isTurned: true, into: result) }
        let columnsOf = (0..<width).map { sources($0, outputWidth) }
        for y in 0..<height {
            let rows = sources(y, outputHeight)
            for x in 0..<width {
                let columns = columnsOf[x]
                let target = result + (y &* width &+ x) &* channels
                forEachVector(of: 0..<channels) { channel, lanes in
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
        let vector = Lanes.scalarCount
        var channel = 0
        // Sums go on side by side: one alone would wait for itself. The channels at hand stay in the cache.
        while channel &+ 4 &* vector <= channels {
            forEachTap(input, gradient) { $0.addFour(from: channel, to: result + ($1 &+ channel)) }
            channel &+= 4 &* vector
        }
        while channel &+ 2 &* vector <= channels {
            forEachTap(input, gradient) { $0.addTwo(from: channel, to: result + ($1 &+ channel)) }
            channel &+= 2 &* vector
        }
        forEachVector(of: channel..<channels) { channel, lanes in
            forEachTap(input, gradient) {
                $0.addOne(from: channel, to: result + ($1 &+ channel), lanes: lanes)
            }
        }
    }

    /// The sums of each tap of the kernel, and where they are added.
    @inline(__always)
    private func forEachTap(
        _ input: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>,
        _ body: (_ sums: ChannelSums, _ target: Int) -> Void
    ) {
        for i in 0..<kernel {
            let rows = outputs(0..<outputHeight, stride: stride, offset: i &- kernel / 2, limit: height)
            for j in 0..<kernel {
                let columns = outputs(0..<outputWidth, stride: stride, offset: j &- kernel / 2, limit: width)
                if rows.isEmpty || columns.isEmpty { continue }
                let (y, x) = (rows.lowerBound, columns.lowerBound)
                let first = (y &* stride &+ i &- kernel / 2) &* width &+ x &* stride &+ j &- kernel / 2
                let sums = ChannelSums(
                    a: input + first &* channels, lineA: stride &* width &* channels,
                    stepA: stride &* channels,
                    b: gradient + (y &* outputWidth &+ x) &* channels, lineB: outputWidth &* channels,
                    stepB: channels, lines: rows.count, steps: columns.count)
                body(sums, (i &* kernel &+ j) &* channels)
            }
        }
    }

    /// Every output from its neighbourhood; `isTurned` takes the kernel turned by 180°, which makes the data
    /// gradient of stride 1.
    private func gather(
        _ input: UnsafePointer<Float>, weight: UnsafePointer<Float>, isTurned: Bool,
        into output: UnsafeMutablePointer<Float>
    ) {
        // With numbers that are known, the innermost loop is unrolled.
        switch kernel {
        case 3: gather(input, weight: weight, size: 3, isTurned: isTurned, into: output)
        case 5: gather(input, weight: weight, size: 5, isTurned: isTurned, into: output)
        default: gather(input, weight: weight, size: kernel, isTurned: isTurned, into: output)
        }
    }

    @inline(__always)
    private func gather(
        _ input: UnsafePointer<Float>, weight: UnsafePointer<Float>, size: Int, isTurned: Bool,
        into output: UnsafeMutablePointer<Float>
    ) {
        let channels = channels
        let (firstTap, tapStep) = isTurned ? ((size &* size &- 1) &* channels, 0 &- channels) : (0, channels)
        for y in 0..<outputHeight {
            let rows = taps(y, height)
            for x in 0..<outputWidth {
                let columns = taps(x, width)
                let target = output + (y &* outputWidth &+ x) &* channels
                let isWhole = columns.taps.count == size
                forEachVector(of: 0..<channels) { channel, lanes in
                    var sum = Lanes.zero
                    for i in rows.taps {
                        let line =
                            input + (((rows.first &+ i) &* width &+ columns.first) &* channels &+ channel)
                        let row = weight + (firstTap &+ i &* size &* tapStep &+ channel)
                        if isWhole {
                            for j in 0..<size {
                                sum = fma(line.lanes(j &* channels), row.lanes(j &* tapStep), sum)
                            }
                        } else {
                            for j in columns.taps {
                                sum = fma(line.lanes(j &* channels), row.lanes(j &* tapStep), sum)
                            }
                        }
                    }
                    (target + channel).storeFirst(lanes, sum)
                }
            }
        }
    }

    /// Which outputs a place is in, and by which tap.
    private func sources(_ place: Int, _ outputs: Int) -> [(tap: Int, output: Int)] {
        (0..<kernel).compactMap { tap in
            let reached = place + kernel / 2 - tap
            guard reached >= 0, reached % stride == 0, reached / stride < outputs else { return nil }
            return (tap, reached / stride)
        }
    }
}

/// Σ a · b over lines and steps, channel by channel.
private struct ChannelSums {
    let a: UnsafePointer<Float>
    let lineA: Int
    let stepA: Int
    let b: UnsafePointer<Float>
    let lineB: Int
    let stepB: Int
    let lines: Int
    let steps: Int

    @inline(__always)
    private func forEach(_ channel: Int, _ body: (UnsafePointer<Float>, UnsafePointer<Float>) -> Void) {
        for line in 0..<lines {
            var (left, right) = (a + (line &* lineA &+ channel), b + (line &* lineB &+ channel))
            for _ in 0..<steps {
                body(left, right)
                left += stepA
                right += stepB
            }
        }
    }

    func addFour(from channel: Int, to target: UnsafeMutablePointer<Float>) {
        let width = Lanes.scalarCount
        var (s0, s1, s2, s3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        forEach(channel) { a, b in
            s0 = fma(a.lanes(0), b.lanes(0), s0)
            s1 = fma(a.lanes(width), b.lanes(width), s1)
            s2 = fma(a.lanes(2 &* width), b.lanes(2 &* width), s2)
            s3 = fma(a.lanes(3 &* width), b.lanes(3 &* width), s3)
        }
        target.store(UnsafePointer(target).lanes(0) + s0, 0)
        target.store(UnsafePointer(target).lanes(width) + s1, width)
        target.store(UnsafePointer(target).lanes(2 &* width) + s2, 2 &* width)
        target.store(UnsafePointer(target).lanes(3 &* width) + s3, 3 &* width)
    }

    func addTwo(from channel: Int, to target: UnsafeMutablePointer<Float>) {
        let width = Lanes.scalarCount
        var (s0, s1) = (Lanes.zero, Lanes.zero)
        forEach(channel) { a, b in
            s0 = fma(a.lanes(0), b.lanes(0), s0)
            s1 = fma(a.lanes(width), b.lanes(width), s1)
        }
        target.store(UnsafePointer(target).lanes(0) + s0, 0)
        target.store(UnsafePointer(target).lanes(width) + s1, width)
    }

    func addOne(from channel: Int, to target: UnsafeMutablePointer<Float>, lanes: Int) {
        var sum = Lanes.zero
        forEach(channel) { a, b in sum = fma(a.lanes(0), b.lanes(0), sum) }
        for lane in 0..<lanes { target[lane] += sum[lane] }
    }
}
