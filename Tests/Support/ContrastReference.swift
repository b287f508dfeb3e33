import CLibrary

/// InfoNCE of several views as a sum over all pairs, in double precision.
public struct ContrastReference {
    public var views: Int
    public var dimension: Int
    public var kernel: Kernel
    public var temperature: Double

    public enum Kernel: Sendable { case cauchy, cosine, gaussian, studentT(Double) }

    public init(views: Int, dimension: Int, kernel: Kernel, temperature: Double) {
        self.views = views
        self.dimension = dimension
        self.kernel = kernel
        self.temperature = temperature
    }

    /// The mean over ordered pairs of views of an image, (i, j), of -log [q(i, j) / Σ_{k≠i} q(i, k)].
    public func loss(_ z: [Double]) -> Double {
        let count = z.count / dimension
        let images = count / views
        var total = 0.0
        for i in 0..<count {
            let others = (0..<count).filter { $0 != i }.map { logSimilarity(z, i, $0) }
            let largest = others.max()!
            let rivals = largest + log(others.reduce(0) { $0 + exp($1 - largest) })
            for j in 0..<count where j != i && j % images == i % images {
                total += rivals - logSimilarity(z, i, j)
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
        let x = temperature * temperature * square
        switch kernel {
        case .cauchy: return -log(1 + x)
        case .cosine: return product / (a * b).squareRoot() / temperature
        case .gaussian: return -x
        case .studentT(let degrees): return -(degrees + 1) / 2 * log(1 + x / degrees)
        }
    }
}
