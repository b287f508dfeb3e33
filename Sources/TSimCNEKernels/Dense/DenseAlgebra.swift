/// Dense products of training: the system's BLAS where it is fast, else the own GEMM.
public enum DenseAlgebra {
    /// Floats of scratch that ``multiply(m:n:k:a:lda:transposeA:b:ldb:transposeB:c:ldc:accumulate:scratch:)`` wants.
    public static func scratchCount(n: Int, k: Int) -> Int {
        BLAS.isUsed ? 0 : gemmScratchCount(n: n, k: k)
    }

    /// C (m × n) = or += op(A) · op(B), row-major. The shapes of a call must not depend on threads.
    public static func multiply(
        m: Int, n: Int, k: Int, a: UnsafePointer<Float>, lda: Int, transposeA: Bool = false,
        b: UnsafePointer<Float>, ldb: Int, transposeB: Bool = false,
        c: UnsafeMutablePointer<Float>, ldc: Int, accumulate: Bool = false,
        scratch: UnsafeMutablePointer<Float>
    ) {
        if BLAS.isUsed {
            BLAS.multiply(
                m: m, n: n, k: k, a: a, lda: lda, transposeA: transposeA, b: b, ldb: ldb,
                transposeB: transposeB, c: c, ldc: ldc, accumulate: accumulate)
        } else {
            gemm(
                m: m, n: n, k: k, a: a, rowStrideA: transposeA ? 1 : lda, columnStrideA: transposeA ? lda : 1,
                b: b, rowStrideB: transposeB ? 1 : ldb, columnStrideB: transposeB ? ldb : 1,
                c: c, rowStrideC: ldc, accumulate: accumulate, scratch: scratch)
        }
    }
}
