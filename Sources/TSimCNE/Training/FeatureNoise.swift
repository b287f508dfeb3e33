/// What makes views of feature vectors: normal noise on every value, and values set to the mean.
public struct FeatureNoise: Equatable, Sendable {
    /// Standard deviation of the noise, in units of normalised values.
    public var deviation: Double
    /// Probability that a value is set to 0, the mean of normalised values.
    public var dropout: Double

    public init(deviation: Double = 0, dropout: Double = 0) {
        self.deviation = deviation
        self.dropout = dropout
    }

    var isNone: Bool { deviation == 0 && dropout == 0 }

    /// Changes the values of one view in place.
    func apply(to values: UnsafeMutablePointer<Float>, count: Int, _ random: inout RandomNumbers) {
        if deviation > 0 {
            for i in 0..<count { values[i] += Float(deviation * random.normal()) }
        }
        if dropout > 0 {
            for i in 0..<count where random.uniform() < dropout { values[i] = 0 }
        }
    }
}
