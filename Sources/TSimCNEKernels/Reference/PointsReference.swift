import CLibrary

/// Free points as their formulas say, pair by pair in double precision: the oracle of the tests.
public enum PointsReference {
    /// ½ [Σ_ij p_ij (-log w_ij) + n log Σ_{i≠j} w_ij] with w = 1 / (1 + d²), for symmetric p that add up to n.
    public static func loss(_ y: [Double], weights p: [Double]) -> Double {
        let count = y.count / 2
        var (attraction, sum) = (0.0, 0.0)
        for i in 0..<count {
            for j in 0..<count where j != i {
                let w = similarity(y, i, j)
                attraction -= p[i * count + j] * log(w)
                sum += w
            }
        }
        return (attraction + Double(count) * log(sum)) / 2
    }

    /// Σ_j w and Σ_j w² (y_i - y_j) of all points.
    public static func repulsion(_ y: [Double]) -> (similarities: [Double], forces: [Double]) {
        let count = y.count / 2
        var similarities = [Double](repeating: 0, count: count)
        var forces = [Double](repeating: 0, count: 2 * count)
        for i in 0..<count {
            for j in 0..<count where j != i {
                let w = similarity(y, i, j)
                similarities[i] += w
                for d in 0..<2 { forces[2 * i + d] += w * w * (y[2 * i + d] - y[2 * j + d]) }
            }
        }
        return (similarities, forces)
    }

    private static func similarity(_ y: [Double], _ i: Int, _ j: Int) -> Double {
        let (dx, dy) = (y[2 * i] - y[2 * j], y[2 * i + 1] - y[2 * j + 1])
        return 1 / (1 + dx * dx + dy * dy)
    }
}
