/// SGD whose rate for a weight is in proportion to its norm over its gradient's (You, Gitman and Ginsburg
/// 2017), made for large batches. Biases and BatchNorm keep the plain rate.
public struct LARS: Optimizer {
    /// The share of a weight's norm that a step of rate 1 moves it by.
    public static let trust: Float = 1e-3

    public var momentum: Float
    public var rules: GradientRules

    public init(momentum: Float, rules: GradientRules) {
        self.momentum = momentum
        self.rules = rules
    }

    public func adapts(_ parameter: Parameter) -> Bool { !parameter.isBias }

    /// λ = trust · ‖w‖ / (‖g‖ + decay · ‖w‖);  v = momentum · v + λ (clip(g) + decay · w);  w = w - rate · v.
    public func update(
        _ parameter: Parameter, part: Range<Int>, _ step: OptimizerStep, scratch: UnsafeMutablePointer<Float>
    ) {
        let (w, g, v) = (parameter.value.pointer, parameter.gradient.pointer, parameter.momentum.pointer)
        let decay = rules.decay(of: parameter)
        var local: Float = 1
        if adapts(parameter), step.norms.value > 0, step.norms.gradient > 0 {
            local = LARS.trust * step.norms.value / (step.norms.gradient + decay * step.norms.value)
        }
        for i in part {
            v[i] = momentum * v[i] + local * (rules.clipped(g[i]) + decay * w[i])
            w[i] -= step.learningRate * v[i]
        }
    }
}
