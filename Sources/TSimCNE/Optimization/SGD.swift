/// Stochastic gradient descent with momentum; weight decay is part of the gradient.
public struct SGD: Optimizer {
    public var momentum: Float
    /// Whether momentum is Nesterov's: the step looks ahead along the velocity.
    public var isNesterov: Bool
    public var rules: GradientRules

    public init(momentum: Float, isNesterov: Bool = false, rules: GradientRules) {
        self.momentum = momentum
        self.isNesterov = isNesterov
        self.rules = rules
    }

    /// v = momentum · v + (clip(g) + decay · w);  w = w - rate · v, or w - rate · (g + momentum · v).
    public func update(
        _ parameter: Parameter, part: Range<Int>, _ step: OptimizerStep, scratch: UnsafeMutablePointer<Float>
    ) {
        let (w, g, v) = (parameter.value.pointer, parameter.gradient.pointer, parameter.momentum.pointer)
        let decay = rules.decay(of: parameter)
        for i in part {
            let gradient = rules.clipped(g[i]) + decay * w[i]
            v[i] = momentum * v[i] + gradient
            w[i] -= step.learningRate * (isNesterov ? gradient + momentum * v[i] : v[i])
        }
    }
}
