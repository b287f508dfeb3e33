#if canImport(Accelerate)
    import Accelerate

    /// The one place that calls the system's library of dense algebra; see OpenBLAS.swift for its names.
    public enum BLAS {
        public static let configuration = "Accelerate"

        public static let core = "Accelerate"

        public static let isUsed = true

        public static let bufferBytes = 0

        /// C (m × n) = or += op(A) · op(B), row-major; on the calling thread.
        static func multiply(
            m: Int, n: Int, k: Int, a: UnsafePointer<Float>, lda: Int, transposeA: Bool,
            b: UnsafePointer<Float>, ldb: Int, transposeB: Bool,
            c: UnsafeMutablePointer<Float>, ldc: Int, accumulate: Bool, longest: Int = 1 << 30
        ) {
            // Its number of threads is a setting of the thread that calls it.
            let found = BLASGetThreading()
            BLASSetThreading(BLAS_THREADING_SINGLE_THREADED)
            defer { BLASSetThreading(found) }
            for first in stride(from: 0, to: k, by: longest) {
                cblas_sgemm(
                    CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans,
                    transposeB ? CblasTrans : CblasNoTrans,
                    Int32(m), Int32(n), Int32(min(longest, k - first)), 1,
                    a + first * (transposeA ? lda : 1), Int32(lda),
                    b + first * (transposeB ? 1 : ldb), Int32(ldb), accumulate || first > 0 ? 1 : 0, c,
                    Int32(ldc))
            }
        }

        /// Runs `body`, whose products have one thread each in any case.
        public static func singleThreaded<Result>(_ body: () throws -> Result) rethrows -> Result {
            try body()
        }
    }
#endif
