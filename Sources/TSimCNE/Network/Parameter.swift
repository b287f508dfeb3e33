/// Trained values with a name, and what training keeps of them.
public final class Parameter: @unchecked Sendable {
    /// The name in PyTorch's state dict of the reference.
    public let name: String
    /// (kernel row, kernel column, in, out) for convolutions, (out, in) for linear layers.
    public let shape: [Int]
    public let value: AlignedBuffer
    public let gradient: AlignedBuffer
    /// The optimiser's velocity.
    public let momentum: AlignedBuffer
    /// The optimiser's running squares of gradients, where it keeps them.
    public private(set) var squares: AlignedBuffer?
    /// The largest that these were, where it keeps them.
    public private(set) var maxima: AlignedBuffer?

    public var count: Int { value.count }
    /// A bias, or one of BatchNorm's two.
    public var isBias: Bool { shape.count == 1 }

    public init(_ name: String, shape: [Int]) {
        self.name = name
        self.shape = shape
        let count = shape.reduce(1, *)
        value = AlignedBuffer(count: count)
        gradient = AlignedBuffer(count: count)
        momentum = AlignedBuffer(count: count)
    }

    /// Of a parameter of so many values, with all that an optimiser may keep.
    public static func bytes(count: Int) -> Int { 5 * count * MemoryLayout<Float>.stride }

    /// Makes what an optimiser keeps as it is at its start.
    func resetOptimizer(for optimizer: any Optimizer) {
        momentum.pointer.update(repeating: 0, count: count)
        (squares, maxima) = (nil, nil)
        prepare(for: optimizer)
    }

    /// A parameter lacks what the optimiser keeps that was replaced, or reset for another trainer, in the middle
    /// of a stage.
    func prepare(for optimizer: any Optimizer) {
        if optimizer.keepsSquares, squares == nil { squares = AlignedBuffer(count: count) }
        if optimizer.keepsMaxima, maxima == nil { maxima = AlignedBuffer(count: count) }
    }

    /// Takes the first values of a larger parameter, and of what an optimiser kept of it.
    func takeFirst(of other: Parameter) {
        if other.squares != nil { squares = AlignedBuffer(count: count) }
        if other.maxima != nil { maxima = AlignedBuffer(count: count) }
        let pairs = [
            (value, other.value), (momentum, other.momentum), (squares, other.squares),
            (maxima, other.maxima),
        ]
        for case (let new?, let old?) in pairs { new.pointer.update(from: old.pointer, count: count) }
    }

    func fill(_ number: Float) { value.pointer.update(repeating: number, count: count) }

    /// Draws from N(0, deviation²).
    func fillNormal(deviation: Float, _ random: inout RandomNumbers) {
        for i in 0..<count { value.pointer[i] = deviation * Float(random.normal()) }
    }

    /// Draws from U(-bound, bound).
    func fillUniform(bound: Float, _ random: inout RandomNumbers) {
        for i in 0..<count { value.pointer[i] = bound * Float(2 * random.uniform() - 1) }
    }
}
