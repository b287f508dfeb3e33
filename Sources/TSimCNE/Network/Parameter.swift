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

    /// Makes what an optimiser keeps as it is at its start.
    func resetOptimizer(keepsSquares: Bool) {
        momentum.pointer.update(repeating: 0, count: count)
        squares = nil
        if keepsSquares { makeSquares() }
    }

    /// A parameter lacks them that was replaced, or reset for another trainer, in the middle of a stage.
    func makeSquares() {
        if squares == nil { squares = AlignedBuffer(count: count) }
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
