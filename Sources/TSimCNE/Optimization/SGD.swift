/// Stochastic gradient descent with momentum, weight decay as part of the gradient, and gradients
/// clipped by value before it.
public struct SGD: Sendable {
    public var momentum: Float
    public var weightDecay: Float
    /// nil: no clipping.
    public var clipValue: Float?

    public init(momentum: Float, weightDecay: Float, clipValue: Float?) {
        self.momentum = momentum
        self.weightDecay = weightDecay
        self.clipValue = clipValue
    }

    /// v = momentum · v + (clip(g) + decay · w);  w = w - rate · v.
    public func update(_ parameter: Parameter, range: Range<Int>, learningRate: Float) {
        let (w, g, v) = (parameter.value.pointer, parameter.gradient.pointer, parameter.momentum.pointer)
        let limit = clipValue ?? .infinity
        for i in range {
            var gradient = g[i]
            if gradient > limit { gradient = limit }
            if gradient < -limit { gradient = -limit }
            v[i] = momentum * v[i] + (gradient + weightDecay * w[i])
            w[i] -= learningRate * v[i]
        }
    }
}
