/// The backward pass of a rectified batch normalisation's first half, where the gradient with respect
/// to its output is made: adds another gradient, lets nothing through where the rectifier was shut, and
/// sums dy and dy · (x - mean).
public struct RectifierGradient: @unchecked Sendable {
    /// What the normalisation was given, and the batch's mean of it.
    let input: Tensor
    let mean: UnsafePointer<Float>
    /// Rows of a slice: Σ dy, Σ dy · (x - mean).
    let sums: PartialSums

    public init(input: Tensor, mean: UnsafePointer<Float>, sums: PartialSums) {
        self.input = input
        self.mean = mean
        self.sums = sums
    }

    /// The sums of neighbouring channels.
    struct Sums<Stored: StoredNumbers> {
        let input: UnsafePointer<Float>
        let mean: Lanes
        var gradient: Lanes
        var product: Lanes

        @inline(__always) func x(_ offset: Int) -> Lanes { Stored.lanes(input, offset) }

        @inline(__always) mutating func add(_ dy: Lanes, _ x: Lanes) {
            gradient += dy
            product = fma(dy, x - mean, product)
        }
    }

    @inline(__always) func block<Stored>(_ channel: Int, isFirst: Bool) -> Sums<Stored> {
        Sums(
            input: input.pointer, mean: mean.lanes(channel),
            gradient: isFirst ? .zero : sums.lanes(0, channel),
            product: isFirst ? .zero : sums.lanes(1, channel))
    }

    @inline(__always) func keep<Stored>(_ block: Sums<Stored>, _ channel: Int) {
        sums.store(block.gradient, 0, channel)
        sums.store(block.product, 1, channel)
    }

    @inline(__always) func ofSlice(_ slice: Int) -> Self {
        Self(input: input, mean: mean, sums: sums.ofSlice(slice))
    }
}

/// The rectifier was open where its ``Activation`` of x is positive.
struct ActivationGradientWriter<Input: StoredNumbers>: Writer {
    let gradient: RectifierGradient
    let activation: Activation

    struct Block: WriterBlock {
        var sums: RectifierGradient.Sums<Input>
        let activate: Activation.Block

        @inline(__always) mutating func callAsFunction(_ value: Lanes, _ offset: Int) -> Lanes {
            let x = sums.x(offset)
            let dy = value.replacing(with: 0, where: activate(x) .<= 0)
            sums.add(dy, x)
            return dy
        }
    }

    @inline(__always) func ofSlice(_ slice: Int) -> Self {
        Self(gradient: gradient.ofSlice(slice), activation: activation)
    }
    @inline(__always) func block(_ channel: Int, isFirst: Bool, sample: Lanes) -> Block {
        Block(sums: gradient.block(channel, isFirst: isFirst), activate: activation.block(channel))
    }
    @inline(__always) func keep(_ block: Block, _ channel: Int) { gradient.keep(block.sums, channel) }
    @inline(__always) func prefetch(_ offset: Int) { Input.prefetch(gradient.input.pointer, offset) }
}

/// The rectifier was open where its output, which was stored, is positive; another gradient with
/// respect to that output is added before, and may lie where the sum is written.
struct JoiningGradientWriter<Input: StoredNumbers>: Writer {
    let gradient: RectifierGradient
    let output: UnsafePointer<Float>
    let other: UnsafePointer<Float>

    struct Block: WriterBlock {
        var sums: RectifierGradient.Sums<Input>
        let output: UnsafePointer<Float>
        let other: UnsafePointer<Float>

        @inline(__always) mutating func callAsFunction(_ value: Lanes, _ offset: Int) -> Lanes {
            let dy = (value + other.lanes(offset)).replacing(with: 0, where: output.lanes(offset) .<= 0)
            sums.add(dy, sums.x(offset))
            return dy
        }
    }

    @inline(__always) func ofSlice(_ slice: Int) -> Self {
        Self(gradient: gradient.ofSlice(slice), output: output, other: other)
    }
    @inline(__always) func block(_ channel: Int, isFirst: Bool, sample: Lanes) -> Block {
        Block(sums: gradient.block(channel, isFirst: isFirst), output: output, other: other)
    }
    @inline(__always) func keep(_ block: Block, _ channel: Int) { gradient.keep(block.sums, channel) }
    @inline(__always) func prefetch(_ offset: Int) {
        Input.prefetch(gradient.input.pointer, offset)
        output.prefetch(offset)
        other.prefetch(offset)
    }
}
