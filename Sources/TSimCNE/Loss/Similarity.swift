import TSimCNEKernels

/// How similar two embeddings are.
public enum Metric: Int, Sendable, CaseIterable {
    /// 1 / (1 + (T d)²), the kernel of t-SNE.
    case cauchy
    /// exp(cos / T).
    case cosine
    /// (1 + (T d)² / ν)^(-(ν + 1) / 2), Student's t with ν degrees of freedom.
    case studentT
    /// exp(-(T d)²).
    case gaussian

    /// Whether it falls with the distance.
    public var isOfDistance: Bool { self != .cosine }

    /// The logarithm of a temperature as it is trained: that of T² / 2 for distances, of T for the cosine
    /// (tsimcne 0.4.24).
    func logarithm(ofTemperature temperature: Float) -> Float {
        let x = Double(temperature)
        return Float(Elementary.log(isOfDistance ? x * x / 2 : x))
    }

    /// ∂T/∂(its logarithm) / T.
    var shareOfLogarithm: Double { isOfDistance ? 0.5 : 1 }

    func temperature(ofLogarithm logarithm: Float) -> Float {
        let x = Elementary.exp(Double(logarithm))
        return Float(isOfDistance ? (2 * x).squareRoot() : x)
    }
}

/// A metric and its numbers, which are read when a step runs: training may change them.
public final class Similarity {
    public let metric: Metric
    public var temperature: Float
    /// Degrees of freedom ν of ``Metric/studentT``.
    public var degrees: Float

    public init(_ metric: Metric, temperature: Float, degrees: Float = 1) {
        self.metric = metric
        self.temperature = temperature
        self.degrees = degrees
    }

    var squaredTemperature: Float { temperature * temperature }

    /// The kernel of a metric that is worked on in logarithms; nil for the others.
    var kernel: DistanceKernel? {
        switch metric {
        case .cauchy, .cosine: return nil
        case .gaussian: return .gaussian
        case .studentT: return .studentT(degrees: degrees)
        }
    }

    /// How log q falls with T² d², or rises with cos / T, from a similarity or, of a kernel, a squared distance.
    func slope(_ value: Float) -> Float {
        if metric == .cosine { return 1 }
        return kernel?.slope(squaredTemperature * value) ?? value
    }

    /// Turns the same values, of a row and others, into the symmetric coefficients of the pairs in the loss's
    /// gradient; `scale` and `scales` are those of ``PairSum``.
    func weigh(
        _ values: UnsafeMutablePointer<Float>, scale: Float, scales: UnsafePointer<Float>, count: Int
    ) {
        if let kernel {
            PairSums.weigh(
                values, kernel, squaredTemperature: squaredTemperature, logSum: scale, logSums: scales,
                count: count)
        } else {
            PairSums.weigh(
                values, squares: metric == .cauchy, inverse: scale, inverses: scales, count: count)
        }
    }
}
