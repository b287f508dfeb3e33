import CLibrary

/// Optimisers as their papers say, in double precision; one for each parameter.
public struct OptimizerReference {
    public enum Method: Sendable, CaseIterable { case sgd, nesterov, adamW, lars, amsGrad }

    public var method: Method
    public var momentum: Double
    public var secondMomentum = 0.999
    public var decay: Double
    public var clip: Double
    /// Whether the parameter has a rate of its own under LARS.
    public var adapts: Bool
    private var steps = 0
    private var velocity: [Double] = []
    private var squares: [Double] = []
    private var largest: [Double] = []

    public init(_ method: Method, momentum: Double, decay: Double, clip: Double, adapts: Bool) {
        self.method = method
        self.momentum = momentum
        self.decay = decay
        self.clip = clip
        self.adapts = adapts
    }

    /// How far a step moves the values.
    public mutating func move(_ w: [Double], _ gradient: [Double], rate: Double) -> [Double] {
        let g = gradient.map { max(-clip, min(clip, $0)) }
        steps += 1
        if steps == 1 {
            velocity = w.map { _ in 0 }
            squares = velocity
            largest = velocity
        }
        switch method {
        case .sgd, .nesterov: return descend(w, g, rate, scale: 1)
        case .lars: return descend(w, g, rate, scale: trustRatio(w, g))
        case .adamW: return adam(w, g, rate)
        case .amsGrad: return adam(w, w.indices.map { g[$0] + decay * w[$0] }, rate)
        }
    }

    private mutating func descend(_ w: [Double], _ g: [Double], _ rate: Double, scale: Double) -> [Double] {
        let total = w.indices.map { scale * (g[$0] + decay * w[$0]) }
        velocity = w.indices.map { momentum * velocity[$0] + total[$0] }
        let ahead = w.indices.map { total[$0] + momentum * velocity[$0] }
        return (method == .nesterov ? ahead : velocity).map { -rate * $0 }
    }

    /// Equation 6 of You, Gitman and Ginsburg (2017).
    private func trustRatio(_ w: [Double], _ g: [Double]) -> Double {
        func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        guard adapts, norm(w) > 0, norm(g) > 0 else { return 1 }
        return 0.001 * norm(w) / (norm(g) + decay * norm(w))
    }

    /// Algorithm 2 of Loshchilov and Hutter (2019), with the decay in proportion to the rate; or Adam with the
    /// largest squares, as Reddi, Kale and Kumar (2018) have it but for the bias of the start.
    private mutating func adam(_ w: [Double], _ g: [Double], _ rate: Double) -> [Double] {
        velocity = w.indices.map { momentum * velocity[$0] + (1 - momentum) * g[$0] }
        squares = w.indices.map { secondMomentum * squares[$0] + (1 - secondMomentum) * g[$0] * g[$0] }
        largest = w.indices.map { max(largest[$0], squares[$0]) }
        return w.indices.map {
            let mean = velocity[$0] / (1 - pow(momentum, Double(steps)))
            let isLargest = method == .amsGrad
            let square = (isLargest ? largest : squares)[$0] / (1 - pow(secondMomentum, Double(steps)))
            return -rate * (mean / (square.squareRoot() + 1e-8) + (isLargest ? 0 : decay * w[$0]))
        }
    }
}
