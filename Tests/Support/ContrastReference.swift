import Glibc

/// InfoNCE of several views as a sum over all pairs, in double precision.
public struct ContrastReference {
    public var views: Int
    public var dimension: Int
    public var isCauchy: Bool
    public var temperature: Double

    public init(views: Int, dimension: Int, isCauchy: Bool, temperature: Double) {
        self.views = views
        self.dimension = dimension
        self.isCauchy = isCauchy
        self.temperature = temperature
    }

    /// The mean over ordered pairs of views of an image, (i, j), of -log [q(i, j) / Σ_{k≠i} q(i, k)].
    public func loss(_ z: [Double]) -> Double {
        let count = z.count / dimension
        let images = count / views
        var total = 0.0
        for i in 0..<count {
            var rivals = 0.0
            for k in 0..<count where k != i { rivals += exp(logSimilarity(z, i, k)) }
            for j in 0..<count where j != i && j % images == i % images {
                total += log(rivals) - logSimilarity(z, i, j)
            }
        }
        return total / Double(count * (views - 1))
    }

    private func logSimilarity(_ z: [Double], _ i: Int, _ k: Int) -> Double {
        var (square, product, a, b) = (0.0, 0.0, 0.0, 0.0)
        for d in 0..<dimension {
            let (x, y) = (z[i * dimension + d], z[k * dimension + d])
            square += (x - y) * (x - y)
            product += x * y
            a += x * x
            b += y * y
        }
        if isCauchy { return -log(1 + temperature * temperature * square) }
        return product / (a * b).squareRoot() / temperature
    }
}
