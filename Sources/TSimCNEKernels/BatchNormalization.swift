/// The loops of batch normalisation over rows of `channels` values; positions are the rows.
///
/// Each takes a range of positions, so that slices can share one pass over a tensor.
public enum BatchNormalizationKernel {
    /// How many positions before they are wanted values are asked for: neighbours lie in lines far from one another,
    /// which no processor foresees.
    private static let ahead = 8

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

    /// output = f(input * scale + shift (+ residual)), f the function where there is one; may be in place.
    public static func normalize(
        _ range: Range<Int>, input: Tensor, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
        residual: Residual?, function: NonlinearityKernel.Function?, output: UnsafeMutablePointer<Float>
    ) {
        func run<N: StoredNumbers>(_: N.Type) {
            function.run(
                Normalize<N>(
                    range: range, input: input, scale: scale, shift: shift, residual: residual,
                    output: output))
        }
        switch input.precision {
        case .single: run(StoredSingle.self)
        case .bfloat16: run(StoredBFloat16.self)
        }
    }

    private struct Normalize<Input: StoredNumbers>: FunctionLoop {
        let range: Range<Int>
        let input: Tensor
        let scale: UnsafePointer<Float>
        let shift: UnsafePointer<Float>
        let residual: Residual?
        let output: UnsafeMutablePointer<Float>

        func run<F: ElementFunction>(_: F.Type) {
            let channels = input.shape.channels
            let input = UnsafePointer(input.pointer)
            let ahead = BatchNormalizationKernel.ahead &* channels
            forEachVector(of: 0..<channels) { channel, lanes in
                let a = scale.lanes(channel)
                let b = shift.lanes(channel)
                let (c, d) = (residual?.scale?.lanes(channel), residual?.shift?.lanes(channel))
                var index = range.lowerBound &* channels &+ channel
                for _ in range {
                    Input.prefetch(input, index &+ ahead)
                    UnsafePointer(output).prefetch(index &+ ahead)
                    var value = fma(Input.lanes(input, index), a, b)
                    if let residual {
                        if let c, let d {
                            value += fma(residual.values.lanes(index), c, d)
                        } else {
                            value += residual.values.lanes(index)
                        }
                    }
                    (output + index).storeFirst(lanes, F.value(value))
                    index &+= channels
                }
            }
        }
    }

    /// Sums of a slice about its first position: [x₀, Σ (x - x₀), Σ (x - x₀)²]. All positions of a slice but the
    /// first ones are added to what there is.
    public static func statistics(
        _ range: Range<Int>, channels: Int, input: UnsafePointer<Float>, sums: PartialSums, slice: Int,
        isFirst: Bool = true
    ) {
        let sums = sums.ofSlice(slice)
        let ahead = ahead &* channels
        forEachVector(of: 0..<channels) { channel, _ in
            var index = range.lowerBound &* channels &+ channel
            let origin = isFirst ? input.lanes(index) : sums.lanes(0, channel)
            var total = isFirst ? Lanes.zero : sums.lanes(1, channel)
            var squares = isFirst ? Lanes.zero : sums.lanes(2, channel)
            for _ in range {
                input.prefetch(index &+ ahead)
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

    /// What lies between normalised values and what the gradient at hand is of.
    public enum Mask {
        /// Nothing, or a function of the normalised values, which are made again.
        case function(
            NonlinearityKernel.Function?, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>)
        /// A rectifier of these and a residual; its output was stored.
        case rectified(UnsafePointer<Float>)
    }

    /// Takes the gradient through the mask, in place, and sums it for slice `slice`. All positions of a slice but the
    /// first ones are added to what there is.
    public static func maskedSums(
        _ range: Range<Int>, rectifier: RectifierGradient, slice: Int, isFirst: Bool = true, mask: Mask,
        gradient: UnsafeMutablePointer<Float>
    ) {
        let rectifier = rectifier.ofSlice(slice)
        func add<N: StoredNumbers>(_: N.Type) {
            MaskedSums<N>(range: range, rectifier: rectifier, isFirst: isFirst, gradient: gradient).add(mask)
        }
        switch rectifier.input.precision {
        case .single: add(StoredSingle.self)
        case .bfloat16: add(StoredBFloat16.self)
        }
    }

    private struct MaskedSums<Input: StoredNumbers> {
        let range: Range<Int>
        let rectifier: RectifierGradient
        let isFirst: Bool
        let gradient: UnsafeMutablePointer<Float>

        func add(_ mask: Mask) {
            switch mask {
            case .function(let function, let scale, let shift):
                function.run(Through(sums: self, scale: scale, shift: shift))
            case .rectified(let output):
                forEachBlock { channel, lanes, sums, offsets in
                    for index in offsets {
                        let dy = gradient.lanes(index).replacing(with: 0, where: output.lanes(index) .<= 0)
                        (gradient + index).storeFirst(lanes, dy)
                        sums.add(dy, sums.x(index))
                    }
                }
            }
        }

        private struct Through: FunctionLoop {
            let sums: MaskedSums
            let scale: UnsafePointer<Float>
            let shift: UnsafePointer<Float>

            func run<F: ElementFunction>(_: F.Type) {
                let gradient = sums.gradient
                let ahead = BatchNormalizationKernel.ahead &* sums.rectifier.input.shape.channels
                sums.forEachBlock { channel, lanes, sums, offsets in
                    let (a, b) = (scale.lanes(channel), shift.lanes(channel))
                    for index in offsets {
                        UnsafePointer(gradient).prefetch(index &+ ahead)
                        Input.prefetch(sums.input, index &+ ahead)
                        let x = sums.x(index)
                        let dy = F.gradient(gradient.lanes(index), at: fma(x, a, b))
                        if F.self != Identity.self { (gradient + index).storeFirst(lanes, dy) }
                        sums.add(dy, x)
                    }
                }
            }
        }

        /// The sums of each vector of channels, and where the range's values of them lie.
        @inline(__always)
        private func forEachBlock(
            _ body: (
                _ channel: Int, _ lanes: Int, _ sums: inout RectifierGradient.Sums<Input>,
                _ offsets: StrideTo<Int>
            ) -> Void
        ) {
            let channels = rectifier.input.shape.channels
            forEachVector(of: 0..<channels) { channel, lanes in
                var sums: RectifierGradient.Sums<Input> = rectifier.block(channel, isFirst: isFirst)
                let first = range.lowerBound &* channels &+ channel
                body(
                    channel, lanes, &sums,
                    stride(from: first, to: first &+ range.count &* channels, by: channels))
                rectifier.keep(sums, channel)
            }
        }
    }
}
