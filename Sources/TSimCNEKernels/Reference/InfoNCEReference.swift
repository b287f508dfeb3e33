import CLibrary

/// InfoNCE as its formula says, in double precision and quadratic memory: the oracle of the tests.
public enum InfoNCEReference {
    /// Mean over i of -log q(i, j(i)) + log Σ_{k≠i} q(i, k).
    public static func loss(_ z: [Double], dimension d: Int, cauchy: Bool, temperature: Double) -> Double {
        let count = z.count / d
        let half = count / 2
        func similarity(_ i: Int, _ k: Int) -> Double {
            let (a, b) = (z[i * d..<(i + 1) * d], z[k * d..<(k + 1) * d])
            if cauchy {
                let square = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                return 1 / (1 + temperature * temperature * square)
            }
            func norm(_ v: ArraySlice<Double>) -> Double {
                max(v.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
            }
            let product = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
            return exp(product / (norm(a) * norm(b)) / temperature)
        }
        var total = 0.0
        for i in 0..<count {
            var sum = 0.0
            for k in 0..<count where k != i { sum += similarity(i, k) }
            total += log(sum) - log(similarity(i, (i + half) % count))
        }
        return total / Double(count)
    }
}
