/// How a kernel reads a tensor: what it makes of the stored values before it uses them, so that the
/// result need not be stored.
///
/// Kernels are generic over it and compiled for each kind.
protocol Reader {
    associatedtype Block: ReaderBlock
    /// The stored values, where they are what is read.
    var plainValues: UnsafePointer<Float>? { get }
    /// The reader of neighbouring channels from `channel` on, with their coefficients in registers.
    func block(_ channel: Int) -> Block
    /// Asks for the lines at an offset.
    func prefetch(_ offset: Int)
}

extension Reader {
    var plainValues: UnsafePointer<Float>? { nil }

    /// Writes what is read at `count` positions from `position` on.
    @inline(__always)
    func copy(
        from position: Int, count: Int, channels: Int, into target: UnsafeMutablePointer<Float>
    ) {
        var c = 0
        while c < channels {
            let lanes = min(Lanes.scalarCount, channels &- c)
            let read = block(c)
            for p in 0..<count {
                (target + (p &* channels &+ c)).storeFirst(lanes, read((position &+ p) &* channels &+ c))
            }
            c &+= Lanes.scalarCount
        }
    }
}

/// Reads the vector of channels at an offset in floats. Where fewer channels are left than a vector has
/// lanes, the others hold what lies behind: tensors and coefficients may be read that far.
protocol ReaderBlock {
    func callAsFunction(_ offset: Int) -> Lanes
}

/// The values as they are.
struct PlainReader: Reader {
    let values: UnsafePointer<Float>
    var plainValues: UnsafePointer<Float>? { values }

    struct Block: ReaderBlock {
        let values: UnsafePointer<Float>
        @inline(__always) func callAsFunction(_ offset: Int) -> Lanes { values.lanes(offset) }
    }

    @inline(__always) func block(_ channel: Int) -> Block { Block(values: values) }
    @inline(__always) func prefetch(_ offset: Int) { values.prefetch(offset) }
}

/// The values after an ``Activation``.
struct ActivatedReader<Stored: StoredNumbers>: Reader {
    let values: UnsafePointer<Float>
    let activation: Activation

    struct Block: ReaderBlock {
        let values: UnsafePointer<Float>
        let activate: Activation.Block
        @inline(__always) func callAsFunction(_ offset: Int) -> Lanes {
            activate(Stored.lanes(values, offset))
        }
    }

    @inline(__always) func block(_ channel: Int) -> Block {
        Block(values: values, activate: activation.block(channel))
    }
    @inline(__always) func prefetch(_ offset: Int) { Stored.prefetch(values, offset) }
}

/// The gradient with respect to what a batch normalisation was given:
/// a · dy + b · (x - mean) + c (docs/derivations/batch-normalization.md).
public struct NormalizedGradient: @unchecked Sendable {
    /// dy, with respect to what it returned, and x, what it was given.
    let gradient: Tensor
    let input: Tensor
    let mean: UnsafePointer<Float>
    /// a, b, c per channel, each after the other.
    let coefficients: UnsafePointer<Float>

    /// - Parameters:
    ///   - gradient: with respect to what the normalisation returned; of single precision.
    ///   - input: what it was given.
    ///   - mean: per channel, of the input.
    ///   - coefficients: a, b, c per channel, each after the other.
    public init(
        gradient: Tensor, input: Tensor, mean: UnsafePointer<Float>, coefficients: UnsafePointer<Float>
    ) {
        precondition(gradient.precision == .single)
        self.gradient = gradient
        self.input = input
        self.mean = mean
        self.coefficients = coefficients
    }
}

/// Reads a ``NormalizedGradient``.
struct NormalizedGradientReader<Stored: StoredNumbers>: Reader {
    private let gradient: UnsafePointer<Float>
    private let input: UnsafePointer<Float>
    private let mean: UnsafePointer<Float>
    private let coefficients: UnsafePointer<Float>
    private let channels: Int

    init(_ description: NormalizedGradient) {
        gradient = UnsafePointer(description.gradient.pointer)
        input = UnsafePointer(description.input.pointer)
        mean = description.mean
        coefficients = description.coefficients
        channels = description.input.shape.channels
    }

    struct Block: ReaderBlock {
        let gradient: UnsafePointer<Float>
        let input: UnsafePointer<Float>
        let mean: Lanes
        let a: Lanes
        let b: Lanes
        let c: Lanes

        @inline(__always) func callAsFunction(_ offset: Int) -> Lanes {
            fma(gradient.lanes(offset), a, fma(Stored.lanes(input, offset) - mean, b, c))
        }
    }

    @inline(__always) func block(_ channel: Int) -> Block {
        Block(
            gradient: gradient, input: input, mean: mean.lanes(channel), a: coefficients.lanes(channel),
            b: coefficients.lanes(channels &+ channel), c: coefficients.lanes(2 &* channels &+ channel))
    }
    @inline(__always) func prefetch(_ offset: Int) {
        gradient.prefetch(offset)
        Stored.prefetch(input, offset)
    }
}

extension NormalizedGradient {
    /// Writes it for a range of positions.
    public func copy(_ positions: Range<Int>, into target: UnsafeMutablePointer<Float>) {
        Copy(positions: positions, channels: input.shape.channels, target: target).use(self)
    }

    private struct Copy: ReaderUser {
        let positions: Range<Int>
        let channels: Int
        let target: UnsafeMutablePointer<Float>

        func use<R: Reader>(_ reader: R) {
            reader.copy(
                from: positions.lowerBound, count: positions.count, channels: channels, into: target)
        }
    }
}

/// What is compiled for each kind of reader.
protocol ReaderUser {
    func use<R: Reader>(_ reader: R)
}

extension ReaderUser {
    func use(_ activation: Activation, of tensor: Tensor) {
        let values = UnsafePointer(tensor.pointer)
        switch tensor.precision {
        case .single: use(ActivatedReader<StoredSingle>(values: values, activation: activation))
        case .bfloat16: use(ActivatedReader<StoredBFloat16>(values: values, activation: activation))
        }
    }

    func use(_ gradient: NormalizedGradient) {
        switch gradient.input.precision {
        case .single: use(NormalizedGradientReader<StoredSingle>(gradient))
        case .bfloat16: use(NormalizedGradientReader<StoredBFloat16>(gradient))
        }
    }

    func use(_ tensor: Tensor) {
        precondition(tensor.precision == .single)
        use(PlainReader(values: tensor.pointer))
    }
}
