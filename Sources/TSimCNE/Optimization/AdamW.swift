import CPlatform
import TSimCNEKernels

/// Adam with weight decay apart from the gradient (Loshchilov and Hutter, ICLR 2019).
public struct AdamW: Optimizer {
    /// Of the running mean and of the running squares.
    public var betas: (mean: Float, squares: Float)
    public static let epsilon: Float = 1e-8
    public var rules: GradientRules

    public var keepsSquares: Bool { true }

    public init(betas: (mean: Float, squares: Float) = (0.9, 0.999), rules: GradientRules) {
        self.betas = betas
        self.rules = rules
    }

    /// w = w - rate · decay · w;  m = β₁ m + (1 - β₁) g;  s = β₂ s + (1 - β₂) g²;
    /// w = w - rate · m̂ / (√ŝ + ε), where m̂ and ŝ are m and s without the bias of their start at 0.
    public func update(_ parameter: Parameter, range: Range<Int>, _ step: OptimizerStep) {
        let (w, g) = (parameter.value.pointer, parameter.gradient.pointer)
        let (m, s) = (parameter.momentum.pointer, parameter.squares!.pointer)
        let kept = 1 - step.learningRate * rules.decay(of: parameter)
        let number = step.number
        let rate = step.learningRate / Float(1 - Elementary.power(Double(betas.mean), number))
        let inverse = Float(1 / (1 - Elementary.power(Double(betas.squares), number)).squareRoot())
        for i in range {
            let gradient = rules.clipped(g[i])
            let mean = betas.mean * m[i] + (1 - betas.mean) * gradient
            let squares = betas.squares * s[i] + (1 - betas.squares) * gradient * gradient
            (m[i], s[i]) = (mean, squares)
            w[i] = kept * w[i] - rate * mean / (cplatform_square_root(squares) * inverse + AdamW.epsilon)
        }
    }
}
