import TSimCNEKernels

/// What training rounds to bfloat16, of 8 bits; sums, and all else, are of single precision.
public enum TrainingPrecision: Sendable {
    case single
    /// The convolutions' outputs that a normalisation reads and the backward pass reads again: half the memory,
    /// and half of what it moves.
    case storedBFloat16
    /// These, and the factors of convolutions' products, on processors that have the instruction.
    case bfloat16

    public var storage: Precision { self == .single ? .single : .bfloat16 }
    public var products: Precision { self == .bfloat16 ? .bfloat16 : .single }
    /// Whether this processor, and this level, can do it.
    public var isAvailable: Bool { products.isAvailable }
}
