/// The directions of largest variance of some rows.
struct PrincipalComponents {
    let mean: [Double]
    /// One after the other, of length 1.
    let components: [[Double]]
    let variances: [Double]

    /// Orthogonal iteration on the covariance matrix.
    init(rows: UnsafePointer<Float>, count: Int, dimension d: Int, components wanted: Int) {
        var mean = [Double](repeating: 0, count: d)
        for r in 0..<count {
            for c in 0..<d { mean[c] += Double(rows[r * d + c]) }
        }
        mean = mean.map { $0 / Double(count) }
        var covariance = [Double](repeating: 0, count: d * d)
        for r in 0..<count {
            for i in 0..<d {
                let x = Double(rows[r * d + i]) - mean[i]
                for j in 0..<d { covariance[i * d + j] += x * (Double(rows[r * d + j]) - mean[j]) }
            }
        }
        covariance = covariance.map { $0 / Double(count) }
        func times(_ v: [Double]) -> [Double] {
            (0..<d).map { i in
                var sum = 0.0
                for j in 0..<d { sum += covariance[i * d + j] * v[j] }
                return sum
            }
        }
        var random = RandomNumbers(seed: 0, purpose: .outputLayer)
        var basis = (0..<wanted).map { _ in (0..<d).map { _ in random.normal() } }
        for _ in 0..<60 { basis = PrincipalComponents.orthonormalized(basis.map(times)) ?? basis }
        self.mean = mean
        components = PrincipalComponents.orthonormalized(basis) ?? basis
        variances = components.map { v in zip(v, times(v)).reduce(0) { $0 + $1.0 * $1.1 } }
    }

    /// Gram and Schmidt; nil where the vectors are dependent.
    private static func orthonormalized(_ vectors: [[Double]]) -> [[Double]]? {
        var result: [[Double]] = []
        for var v in vectors {
            for u in result {
                let along = zip(u, v).reduce(0) { $0 + $1.0 * $1.1 }
                v = zip(v, u).map { $0 - along * $1 }
            }
            let norm = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
            if !(norm > 1e-30) { return nil }
            result.append(v.map { $0 / norm })
        }
        return result
    }
}

extension ProjectionHead {
    /// Moves and scales the output layer so that `rows`, which it gave, have their mean at the origin and
    /// a root-mean-square radius of `radius`: what follows a loss that leaves both free.
    func scaleOutput(of rows: UnsafePointer<Float>, count: Int, radius: Float) {
        let (outputs, values) = (output.outputs, Double(count))
        var means = [Double](repeating: 0, count: outputs)
        var squares = 0.0
        for r in 0..<count {
            for d in 0..<outputs { means[d] += Double(rows[r * outputs + d]) / values }
        }
        for r in 0..<count {
            for d in 0..<outputs {
                let x = Double(rows[r * outputs + d]) - means[d]
                squares += x * x / values
            }
        }
        let scale = Double(radius) / max(squares.squareRoot(), 1e-6)
        let (weight, bias) = (output.weight.value.pointer, output.bias.value.pointer)
        for i in 0..<output.weight.count { weight[i] = Float(scale * Double(weight[i])) }
        for d in 0..<outputs { bias[d] = Float(scale * (Double(bias[d]) - means[d])) }
    }

    /// Replaces the output layer by its own outputs' principal components, scaled so that `rows`, which
    /// it gave, have a root-mean-square radius of `radius`.
    func replaceOutput(
        byPrincipalComponents wanted: Int, of rows: UnsafePointer<Float>, count: Int, radius: Float,
        _ random: inout RandomNumbers
    ) {
        let old = output
        let principal = PrincipalComponents(
            rows: rows, count: count, dimension: old.outputs, components: wanted)
        replaceOutput(outputs: wanted, &random)
        let spread = principal.variances.reduce(0, +).squareRoot()
        let scale = Double(radius) / max(spread, 1e-6)
        for (k, direction) in principal.components.enumerated() {
            let target = output.weight.value.pointer + k * old.inputs
            for i in 0..<old.inputs {
                var sum = 0.0
                for d in 0..<old.outputs {
                    sum += direction[d] * Double(old.weight.value.pointer[d * old.inputs + i])
                }
                target[i] = Float(scale * sum)
            }
            var shift = 0.0
            for d in 0..<old.outputs {
                shift += direction[d] * (Double(old.bias.value.pointer[d]) - principal.mean[d])
            }
            output.bias.value.pointer[k] = Float(scale * shift)
        }
    }
}
