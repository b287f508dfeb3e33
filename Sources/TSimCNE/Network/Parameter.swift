/// Trained values with a name, and what training keeps of them.
public final class Parameter: @unchecked Sendable {
    /// The name in PyTorch's state dict of the reference.
    public let name: String
    /// The sizes (kernel row, kernel column, in, out) for convolutions, (out, in) for linear layers.
    public let shape: [Int]
    public let value: AlignedBuffer
    public let gradient: AlignedBuffer
    /// The optimiser's velocity.
    public let momentum: AlignedBuffer
    /// What else the optimiser keeps, as its ``Optimizer/state`` says.
    public private(set) var state: [NamedArray.Kind: AlignedBuffer] = [:]

    public var count: Int { value.count }
    /// A bias, or one of BatchNorm's two.
    public var isBias: Bool { shape.count == 1 }
    /// Whether it is of the network's last layer.
    public let isOutput: Bool

    /// Neighbouring values that a thread works on at a time.
    var blocks: [Range<Int>] {
        let longest = 32768
        return stride(from: 0, to: count, by: longest).map { $0..<min(count, $0 + longest) }
    }

    public init(_ name: String, shape: [Int], isOutput: Bool = false) {
        self.name = name
        self.shape = shape
        self.isOutput = isOutput
        let count = shape.reduce(1, *)
        value = AlignedBuffer(count: count)
        gradient = AlignedBuffer(count: count)
        momentum = AlignedBuffer(count: count)
    }

    /// Bytes of a parameter of so many values, with all that an optimiser may keep.
    public static func bytes(count: Int) -> Int { 5 * count * MemoryLayout<Float>.stride }

    /// Makes what an optimiser keeps as it is at its start.
    func resetOptimizer(for optimizer: any Optimizer) {
        momentum.pointer.update(repeating: 0, count: count)
        state = [:]
        prepare(for: optimizer)
    }

    /// A parameter lacks what the optimiser keeps that was replaced, or reset for another trainer, in the middle
    /// of a stage.
    func prepare(for optimizer: any Optimizer) {
        for kind in optimizer.state where state[kind] == nil { state[kind] = AlignedBuffer(count: count) }
    }

    /// Takes the first values of a larger parameter, and of what an optimiser kept of it.
    func takeFirst(of other: Parameter) {
        state = other.state.mapValues { _ in AlignedBuffer(count: count) }
        let kept = other.state.map { (state[$0]!, $1) }
        for (new, old) in [(value, other.value), (momentum, other.momentum)] + kept {
            new.pointer.update(from: old.pointer, count: count)
        }
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
