import CPlatform
import TSimCNEKernels

/// Adam (Kingma and Ba, ICLR 2015) in its two later forms: with weight decay apart from the gradient (AdamW), and
/// with the largest of the running squares (AMSGrad).
public struct Adam: Optimizer {
    /// Decays of the running mean and of the running squares, in 0..<1.
    public var betas: (mean: Float, squares: Float)
    public static let epsilon: Float = 1e-8
    /// Whether weights decay by themselves (Loshchilov and Hutter, ICLR 2019), not as a part of the gradient.
    public var isDecoupled: Bool
    /// Whether steps are divided by the root of the largest running squares so far (Reddi, Kale and Kumar,
    /// ICLR 2018).
    public var keepsMaxima: Bool
    public var rules: GradientRules

    public var state: [NamedArray.Kind] { keepsMaxima ? [.squares, .maxima] : [.squares] }

    public init(
        betas: (mean: Float, squares: Float) = (0.9, 0.999), isDecoupled: Bool = true,
        keepsMaxima: Bool = false, rules: GradientRules
    ) {
        self.betas = betas
        self.isDecoupled = isDecoupled
        self.keepsMaxima = keepsMaxima
        self.rules = rules
    }

    /// Decoupled: w = w - rate · decay · w, else g = g + decay · w;  m = β₁ m + (1 - β₁) g;
    /// s = β₂ s + (1 - β₂) g²;  w = w - rate · m̂ / (√ŝ + ε), where m̂ and ŝ are m and s, or the largest s so far,
    /// without the bias of their start at 0.
    public func update(
        _ parameter: Parameter, part: Range<Int>, _ step: OptimizerStep, scratch: UnsafeMutablePointer<Float>
    ) {
        let (w, g) = (parameter.value.pointer, parameter.gradient.pointer)
        let (m, s) = (parameter.momentum.pointer, parameter.state[.squares]!.pointer)
        let largest = keepsMaxima ? parameter.state[.maxima]!.pointer : s
        let decay = rules.decay(of: parameter)
        let kept = isDecoupled ? 1 - step.learningRate * decay : 1
        let added = isDecoupled ? 0 : decay
        let number = step.number
        let rate = step.learningRate / Float(1 - Elementary.power(Double(betas.mean), number))
        let inverse = Float(1 / (1 - Elementary.power(Double(betas.squares), number)).squareRoot())
        for i in part {
            let gradient = rules.clipped(g[i]) + added * w[i]
            let mean = betas.mean * m[i] + (1 - betas.mean) * gradient
            let squares = betas.squares * s[i] + (1 - betas.squares) * gradient * gradient
            (m[i], s[i]) = (mean, squares)
            if largest[i] < squares { largest[i] = squares }
            let root = cplatform_square_root(largest[i])
            w[i] = kept * w[i] - rate * mean / (root * inverse + Adam.epsilon)
        }
    }
}
