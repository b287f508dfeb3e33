/// How a parameter moves along its gradient.
public protocol Optimizer: Sendable {
    var rules: GradientRules { get }
    /// What it keeps of each parameter beside ``Parameter/momentum``: arrays of the parameter's size, 0 at first.
    var state: [NamedArray.Kind] { get }
    /// Whether a parameter's rate depends on the norms of its values and gradient.
    func adapts(_ parameter: Parameter) -> Bool
    /// What of a parameter one thread moves together: ranges of its values, or of what else the optimiser divides
    /// it into. They depend on its shape alone.
    func parts(of parameter: Parameter) -> [Range<Int>]
    /// Floats of scratch memory that each part of a parameter wants.
    func scratchCount(_ parameter: Parameter) -> Int

    func update(
        _ parameter: Parameter, part: Range<Int>, _ step: OptimizerStep, scratch: UnsafeMutablePointer<Float>)
}

extension Optimizer {
    public var state: [NamedArray.Kind] { [] }
    public func adapts(_ parameter: Parameter) -> Bool { false }
    public func parts(of parameter: Parameter) -> [Range<Int>] { parameter.blocks }
    public func scratchCount(_ parameter: Parameter) -> Int { 0 }
}

/// What an update depends on beside the parameter.
public struct OptimizerStep: Sendable {
    public var learningRate: Float
    /// The step's number within the stage, from 1.
    public var number = 1
    /// Euclidean norms of the parameter's values and of its clipped gradient, where the optimiser adapts.
    public var norms: (value: Float, gradient: Float) = (0, 0)

    public init(learningRate: Float) { self.learningRate = learningRate }
}

/// What is done to gradients before an optimiser sees them, and which parameters decay.
public struct GradientRules: Sendable {
    public var weightDecay: Float
    /// Whether biases and the parameters of BatchNorm decay too, as in the paper.
    public var decaysBiases: Bool
    /// Gradients are clipped to ± this; infinite for none.
    public var clipValue: Float

    public init(weightDecay: Float, decaysBiases: Bool = true, clipValue: Float? = nil) {
        self.weightDecay = weightDecay
        self.decaysBiases = decaysBiases
        self.clipValue = clipValue ?? .infinity
    }

    func decay(of parameter: Parameter) -> Float {
        decaysBiases || !parameter.isBias ? weightDecay : 0
    }

    @inline(__always)
    func clipped(_ gradient: Float) -> Float {
        var gradient = gradient
        if gradient > clipValue { gradient = clipValue }
        if gradient < -clipValue { gradient = -clipValue }
        return gradient
    }
}
