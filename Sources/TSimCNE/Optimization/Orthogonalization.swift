import TSimCNEKernels

/// Brings the singular values of a matrix near to 1 and keeps its singular vectors, by the iteration of Newton and
/// Schulz with the coefficients of Jordan et al. (Muon, 2024): they make small singular values large in few steps,
/// and leave them between 0.7 and 1.2 instead of at 1.
///
/// X ← (a + b G + c G²) X with G = X Xᵀ, of the shorter side. What X is multiplied by is a polynomial of G, and so is
/// what becomes of G: all steps are made with matrices of G's size, and X is read at the beginning and the end.
struct Orthogonalization {
    static let steps = 5
    static let coefficients: (a: Float, b: Float, c: Float) = (3.4445, -4.7750, 2.0315)

    let rows: Int
    let columns: Int

    private var isTall: Bool { rows >= columns }
    private var order: Int { min(rows, columns) }
    private var square: Int { order * order }

    /// Floats of scratch memory.
    var scratchCount: Int {
        5 * square
            + max(
                DenseAlgebra.scratchCount(n: order, k: max(rows, columns)),
                DenseAlgebra.scratchCount(n: columns, k: order))
    }

    /// - Parameters:
    ///   - x: (rows × columns) of Euclidean length 1 in all, so that no singular value is larger.
    ///   - y: the result.
    func run(
        _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        var places = (0..<5).map { scratch + $0 * square }
        let rest = scratch + 5 * square
        let (gram, other, factor) = (places[0], places[1], places[2])
        DenseAlgebra.multiply(
            m: order, n: order, k: max(rows, columns), a: x, lda: columns, transposeA: isTall,
            b: x, ldb: columns, transposeB: !isTall, c: gram, ldc: order, scratch: rest)
        for step in 0..<Orthogonalization.steps {
            multiply(gram, gram, into: other, rest)
            let (a, b, c) = Orthogonalization.coefficients
            for i in 0..<square { factor[i] = b * gram[i] + c * other[i] }
            for i in 0..<order { factor[i * order + i] += a }
            if step == 0 {
                places[3].update(from: factor, count: square)
            } else {
                multiply(places[3], factor, into: places[4], rest)
                places.swapAt(3, 4)
            }
            if step + 1 < Orthogonalization.steps {
                multiply(gram, factor, into: other, rest)
                multiply(other, factor, into: gram, rest)
            }
        }
        let product = places[3]
        DenseAlgebra.multiply(
            m: rows, n: columns, k: order, a: isTall ? x : UnsafePointer(product),
            lda: isTall ? columns : order,
            b: isTall ? UnsafePointer(product) : x, ldb: columns, c: y, ldc: columns, scratch: rest)
    }

    private func multiply(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        DenseAlgebra.multiply(
            m: order, n: order, k: order, a: a, lda: order, b: b, ldb: order, c: c, ldc: order,
            scratch: scratch)
    }
}
