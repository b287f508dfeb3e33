import COpenBLAS
import CPlatform

/// The one place that calls the system's library of dense algebra: OpenBLAS, on macOS Accelerate.
public enum BLAS {
    /// What the library says of its own build.
    public static let configuration = String(cString: openblas_get_config())

    /// The kernel it chose for this processor.
    public static let core = String(cString: openblas_get_corename())

    /// Whether products go to OpenBLAS: not where it runs a kernel without AVX2 on a processor that has it.
    /// An OpenBLAS older than the processor does so, at a fifth of the speed, and the own GEMM then does its
    /// work.
    public static let isUsed: Bool = {
        #if LEVEL_V4 || LEVEL_V3
            let fast = ["Haswell", "Zen", "SkylakeX", "Cooperlake", "Sapphirerapids", "Excavator"]
            return fast.contains { $0.lowercased() == core.lowercased() }
        #else
            return true
        #endif
    }()

    /// Address space that it takes for each calling thread, in its first product. Where there is none (`ulimit -v`),
    /// it asks again for ever.
    public static let bufferBytes = 128 << 20

    /// C (m × n) = or += op(A) · op(B), row-major; on the calling thread if within ``singleThreaded(_:)``.
    ///
    /// Its numbers have 32 bits. What is summed over may be the rows of a batch, of which there may be more: they
    /// are summed in parts of at most `longest`. All other sizes are widths of layers.
    static func multiply(
        m: Int, n: Int, k: Int, a: UnsafePointer<Float>, lda: Int, transposeA: Bool,
        b: UnsafePointer<Float>, ldb: Int, transposeB: Bool,
        c: UnsafeMutablePointer<Float>, ldc: Int, accumulate: Bool, longest: Int = 1 << 30
    ) {
        for first in stride(from: 0, to: k, by: longest) {
            cblas_sgemm(
                CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
                Int32(m), Int32(n), Int32(min(longest, k - first)), 1, a + first * (transposeA ? lda : 1),
                Int32(lda), b + first * (transposeB ? 1 : ldb), Int32(ldb),
                accumulate || first > 0 ? 1 : 0, c, Int32(ldc))
        }
    }

    // Number of bodies that run, and what the first of them found.
    nonisolated(unsafe) private static var users = 0
    nonisolated(unsafe) private static var threadsFound: Int32 = 1

    /// The threads whose bodies ran are not in a child, which has its setting back at once: others use the library
    /// there, and may never come here.
    private static let restoresInChildren: Bool = {
        cplatform_on_fork {
            if users > 0, threadsFound != 1 { openblas_set_num_threads(threadsFound) }
            users = 0
        } == 0
    }()

    /// Runs `body` while OpenBLAS uses no threads of its own; its setting is left as found.
    public static func singleThreaded<Result>(_ body: () throws -> Result) rethrows -> Result {
        _ = restoresInChildren
        SharedLock.withLock {
            if users == 0 {
                threadsFound = openblas_get_num_threads()
                if threadsFound != 1 { openblas_set_num_threads(1) }
            }
            users += 1
        }
        defer {
            SharedLock.withLock {
                users -= 1
                if users == 0, threadsFound != 1 { openblas_set_num_threads(threadsFound) }
            }
        }
        return try body()
    }
}
