/// The loops of batch normalisation over rows of `channels` values; positions are the rows.
///
/// Each takes a range of positions, so that slices can share one pass over a tensor.
public enum BatchNormalizationKernel {
    /// Positions of a slice.
    public static func positionsPerSlice(channels: Int) -> Int { max(1, 65536 / channels) }

    public static func slices(positions: Int, channels: Int) -> Int {
        let size = positionsPerSlice(channels: channels)
        return (positions + size - 1) / size
    }

    public static func positions(ofSlice slice: Int, count: Int, channels: Int) -> Range<Int> {
        let size = positionsPerSlice(channels: channels)
        return slice * size..<min(count, (slice + 1) * size)
    }

    /// What is added to normalised values: as it is, or scaled and shifted per channel.
    public struct Residual {
        let values: UnsafePointer<Float>
        let scale: UnsafePointer<Float>?
        let shift: UnsafePointer<Float>?

        public init(_ tensor: Tensor, scale: UnsafePointer<Float>?, shift: UnsafePointer<Float>?) {
            precondition(tensor.precision == .single)
            values = UnsafePointer(tensor.pointer)
            self.scale = scale
            self.shift = shift
        }
    }

    /// output = input * scale + shift (+ residual), then the positive part if `rectifies`; may be in place.
    public static func normalize(
        _ range: Range<Int>, input: Tensor, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
        residual: Residual?, rectifies: Bool, output: UnsafeMutablePointer<Float>
    ) {
        switch input.precision {
        case .single:
            normalize(
                range, StoredSingle.self, input: input, scale: scale, shift: shift, residual: residual,
                rectifies: rectifies, output: output)
        case .bfloat16:
            normalize(
                range, StoredBFloat16.self, input: input, scale: scale, shift: shift, residual: residual,
                rectifies: rectifies, output: output)
        }
    }

    private static func normalize<Input: StoredNumbers>(
        _ range: Range<Int>, _: Input.Type, input: Tensor, scale: UnsafePointer<Float>,
        shift: UnsafePointer<Float>, residual: Residual?, rectifies: Bool,
        output: UnsafeMutablePointer<Float>
    ) {
        let channels = input.shape.channels
        let input = UnsafePointer(input.pointer)
        let floor = Lanes(repeating: rectifies ? 0 : -.infinity)
        forEachBlock(channels) { channel, lanes in
            let a = scale.lanes(channel)
            let b = shift.lanes(channel)
            let (c, d) = (residual?.scale?.lanes(channel), residual?.shift?.lanes(channel))
            var index = range.lowerBound &* channels &+ channel
            for _ in range {
                var value = fma(Input.lanes(input, index), a, b)
                if let residual {
                    if let c, let d {
                        value += fma(residual.values.lanes(index), c, d)
                    } else {
                        value += residual.values.lanes(index)
                    }
                }
                // NaN stays NaN: a diverged network must not look sane.
                value.replace(with: floor, where: value .< floor)
                (output + index).storeFirst(lanes, value)
                index &+= channels
            }
        }
    }

    /// Sums of a slice about its first position: [x₀, Σ (x - x₀), Σ (x - x₀)²].
    public static func statistics(
        _ range: Range<Int>, channels: Int, input: UnsafePointer<Float>, sums: PartialSums, slice: Int
    ) {
        let sums = sums.ofSlice(slice)
        forEachBlock(channels) { channel, _ in
            var index = range.lowerBound &* channels &+ channel
            let origin = input.lanes(index)
            var (total, squares) = (Lanes.zero, Lanes.zero)
            for _ in range {
                let x = input.lanes(index) - origin
                total += x
                squares = fma(x, x, squares)
                index &+= channels
            }
            sums.store(origin, 0, channel)
            sums.store(total, 1, channel)
            sums.store(squares, 2, channel)
        }
    }

    /// Sets the gradient to 0 where the rectified output is, in place, and sums it for slice `slice`.
    public static func maskedSums(
        _ range: Range<Int>, rectifier: RectifierGradient, slice: Int, output: UnsafePointer<Float>?,
        gradient: UnsafeMutablePointer<Float>
    ) {
        switch rectifier.input.precision {
        case .single:
            maskedSums(
                range, StoredSingle.self, rectifier: rectifier, slice: slice, output: output,
                gradient: gradient)
        case .bfloat16:
            maskedSums(
                range, StoredBFloat16.self, rectifier: rectifier, slice: slice, output: output,
                gradient: gradient)
        }
    }

    private static func maskedSums<Input: StoredNumbers>(
        _ range: Range<Int>, _: Input.Type, rectifier: RectifierGradient, slice: Int,
        output: UnsafePointer<Float>?, gradient: UnsafeMutablePointer<Float>
    ) {
        let channels = rectifier.input.shape.channels
        let rectifier = rectifier.ofSlice(slice)
        forEachBlock(channels) { channel, lanes in
            var sums: RectifierGradient.Sums<Input> = rectifier.block(channel, isFirst: true)
            var index = range.lowerBound &* channels &+ channel
            for _ in range {
                var dy = gradient.lanes(index)
                if let output {
                    dy.replace(with: 0, where: output.lanes(index) .<= 0)
                    (gradient + index).storeFirst(lanes, dy)
                }
                sums.add(dy, sums.x(index))
                index &+= channels
            }
            rectifier.keep(sums, channel)
        }
    }

    /// Blocks of channels that fill a vector; the last may be shorter.
    @inline(__always)
    private static func forEachBlock(
        _ channels: Int, _ body: (_ channel: Int, _ lanes: Int) -> Void
    ) {
        var channel = 0
        while channel < channels {
            body(channel, min(Lanes.scalarCount, channels &- channel))
            channel &+= Lanes.scalarCount
        }
    }
}
