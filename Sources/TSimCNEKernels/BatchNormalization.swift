/// The loops of batch normalisation over rows of `channels` values; positions are the rows.
///
/// Each takes a range of positions, so that slices can share one pass over a tensor.
public enum BatchNormalizationKernel {
    /// Positions of a slice: few enough that two passes over them stay in the second-level cache.
    public static func positionsPerSlice(channels: Int) -> Int { max(1, 65536 / channels) }

    public static func slices(positions: Int, channels: Int) -> Int {
        let size = positionsPerSlice(channels: channels)
        return (positions + size - 1) / size
    }

    public static func positions(ofSlice slice: Int, count: Int, channels: Int) -> Range<Int> {
        let size = positionsPerSlice(channels: channels)
        return slice * size..<min(count, (slice + 1) * size)
    }

    /// Σ x and Σ x² per channel. Squares are taken about the slice's own mean: no cancellation.
    public static func sums(
        _ range: Range<Int>, channels: Int, input: UnsafePointer<Float>,
        into sums: UnsafeMutablePointer<Double>
    ) {
        let count = Double(range.count)
        forEachBlock(channels) { channel, lanes in
            let first = input + (range.lowerBound &* channels &+ channel)
            var total = Lanes.zero
            var p = 0
            while p < range.count {
                total += load(first + p &* channels, lanes)
                p &+= 1
            }
            let mean = total * Lanes(repeating: 1 / Float(range.count))
            var squares = Lanes.zero
            var rest = Lanes.zero
            p = 0
            while p < range.count {
                let difference = load(first + p &* channels, lanes) - mean
                squares = fma(difference, difference, squares)
                rest += difference
                p &+= 1
            }
            for lane in 0..<lanes {
                // `rest` holds what rounding left of the mean.
                let sum = count * Double(mean[lane]) + Double(rest[lane])
                sums[channel &+ lane] = sum
                sums[channels &+ channel &+ lane] =
                    Double(squares[lane]) + 2 * Double(mean[lane]) * sum
                    - count * Double(mean[lane]) * Double(mean[lane])
            }
        }
    }

    /// output = input * scale + shift (+ residual), then the positive part if `rectifies`.
    public static func normalize(
        _ range: Range<Int>, channels: Int, input: UnsafePointer<Float>, scale: UnsafePointer<Float>,
        shift: UnsafePointer<Float>, residual: UnsafePointer<Float>?, rectifies: Bool,
        output: UnsafeMutablePointer<Float>
    ) {
        forEachBlock(channels) { channel, lanes in
            let a = load(scale + channel, lanes)
            let b = load(shift + channel, lanes)
            let floor = Lanes(repeating: rectifies ? 0 : -.infinity)
            var index = range.lowerBound &* channels &+ channel
            for _ in range {
                var value = fma(load(input + index, lanes), a, b)
                if let residual { value += load(residual + index, lanes) }
                // NaN stays NaN: a diverged network must not look sane.
                value.replace(with: floor, where: value .< floor)
                store(value, output + index, lanes)
                index &+= channels
            }
        }
    }

    /// Masks the gradient where the rectified output is zero, in place, and sums it:
    /// Σ dy and Σ dy · x̂ per channel. The output is read, or made again by its activation.
    public static func backwardSums(
        _ range: Range<Int>, channels: Int, input: UnsafePointer<Float>, mean: UnsafePointer<Float>,
        inverseDeviation: UnsafePointer<Float>, output: UnsafePointer<Float>?, activation: Activation?,
        gradient: UnsafeMutablePointer<Float>, into sums: UnsafeMutablePointer<Double>
    ) {
        forEachBlock(channels) { channel, lanes in
            let m = load(mean + channel, lanes)
            let s = load(inverseDeviation + channel, lanes)
            let activate = activation.map {
                Activation.Block(
                    scale: load($0.scale + channel, lanes), shift: load($0.shift + channel, lanes))
            }
            var total = Lanes.zero
            var product = Lanes.zero
            var index = range.lowerBound &* channels &+ channel
            for _ in range {
                var dy = load(gradient + index, lanes)
                if let output {
                    dy.replace(with: 0, where: load(output + index, lanes) .<= 0)
                    store(dy, gradient + index, lanes)
                }
                let x = load(input + index, lanes)
                if let activate {
                    dy.replace(with: 0, where: activate(x) .<= 0)
                    store(dy, gradient + index, lanes)
                }
                total += dy
                product = fma(dy, x - m, product)
                index &+= channels
            }
            product *= s
            for lane in 0..<lanes {
                sums[channel &+ lane] = Double(total[lane])
                sums[channels &+ channel &+ lane] = Double(product[lane])
            }
        }
    }

    /// inputGradient = a · dy + b · (x - mean) + c; may be in place.
    public static func backward(
        _ range: Range<Int>, channels: Int, input: UnsafePointer<Float>, mean: UnsafePointer<Float>,
        a: UnsafePointer<Float>, b: UnsafePointer<Float>, c: UnsafePointer<Float>,
        gradient: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>
    ) {
        forEachBlock(channels) { channel, lanes in
            let m = load(mean + channel, lanes)
            let (va, vb, vc) = (load(a + channel, lanes), load(b + channel, lanes), load(c + channel, lanes))
            var index = range.lowerBound &* channels &+ channel
            for _ in range {
                let centred = load(input + index, lanes) - m
                let value = fma(load(gradient + index, lanes), va, fma(centred, vb, vc))
                store(value, inputGradient + index, lanes)
                index &+= channels
            }
        }
    }

    /// Blocks of channels that fill a vector; the last may be shorter.
    @inline(__always)
    private static func forEachBlock(
        _ channels: Int, _ body: (_ channel: Int, _ lanes: Int) -> Void
    ) {
        var channel = 0
        while channel &+ Lanes.scalarCount <= channels {
            body(channel, Lanes.scalarCount)
            channel &+= Lanes.scalarCount
        }
        if channel < channels { body(channel, channels &- channel) }
    }

    @inline(__always)
    private static func load(_ source: UnsafePointer<Float>, _ lanes: Int) -> Lanes {
        if lanes == Lanes.scalarCount { return source.lanes(0) }
        var value = Lanes.zero
        for lane in 0..<lanes { value[lane] = source[lane] }
        return value
    }

    @inline(__always)
    private static func store(_ value: Lanes, _ target: UnsafeMutablePointer<Float>, _ lanes: Int) {
        if lanes == Lanes.scalarCount { return target.store(value, 0) }
        for lane in 0..<lanes { target[lane] = value[lane] }
    }
}
