import TSimCNE

/// What the machine can do at best, at the instruction-set level of this build: the roof that
/// measured speeds are held against.
struct Machine {
    /// Billions of floating-point operations a second in fused multiply-adds, on one thread and on all.
    let fused: [Double]
    /// Billions of bytes a second that a copy from memory to memory reads and writes.
    let copied: [Double]
    /// What the matrix product of the kernels reaches of ``fused``, on one thread.
    let productShare: Double

    static func measure(threads: Int) -> Machine {
        let pools = [ThreadPool(threads: 1), ThreadPool(threads: threads)]
        let fused = pools.map { pool in best { Machine.fuse(on: pool) } }
        let copied = pools.map { pool in best { Machine.copy(on: pool) } }
        return Machine(
            fused: fused, copied: copied, productShare: best { Machine.product() } / fused[0])
    }

    var json: String {
        "{\"level\": \"\(instructionSetLevel)\", \"fma_gflops\": \(fused), "
            + "\"copy_gb_per_second\": \(copied), \"gemm_share_of_peak\": \(productShare)}"
    }

    private static func best(_ measure: () -> Double) -> Double { (0..<7).map { _ in measure() }.max()! }

    private static func seconds(_ work: () -> Void) -> Double {
        let started = ThreadPool.now()
        work()
        return Double(ThreadPool.now() - started) * 1e-9
    }

    private static let fusions = 4_000_000

    private static func fuse(on pool: ThreadPool) -> Double {
        let sums = AlignedBuffer(count: pool.threads * 16)
        let time = seconds {
            _ = pool.run(count: pool.threads) { slice, _ in
                sums.pointer[slice * 16] = chain(Lanes(repeating: Float(slice) + 1))
            }
        }
        return Double(pool.threads * fusions * 12 * Lanes.scalarCount * 2) / time * 1e-9
    }

    /// Twelve chains: enough to hide the latency of two units.
    @inline(never)
    private static func chain(_ start: Lanes) -> Float {
        let factor = Lanes(repeating: 0.999)
        var (a, b, c, d, e, f) = (start, start, start, start, start, start)
        var (g, h, i, j, k, l) = (start, start, start, start, start, start)
        for _ in 0..<fusions {
            a = fused(a, factor, start)
            b = fused(b, factor, start)
            c = fused(c, factor, start)
            d = fused(d, factor, start)
            e = fused(e, factor, start)
            f = fused(f, factor, start)
            g = fused(g, factor, start)
            h = fused(h, factor, start)
            i = fused(i, factor, start)
            j = fused(j, factor, start)
            k = fused(k, factor, start)
            l = fused(l, factor, start)
        }
        return (a + b + c + d + e + f + g + h + i + j + k + l)[0]
    }

    @inline(__always)
    private static func fused(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
        #if LEVEL_V4 || LEVEL_V3 || arch(arm64)
            return c.addingProduct(a, b)
        #else
            return a * b + c
        #endif
    }

    private static let buffers = [AlignedBuffer(count: 32 << 20), AlignedBuffer(count: 32 << 20)]

    private static func copy(on pool: ThreadPool) -> Double {
        let (source, target) = (buffers[0], buffers[1])
        let part = source.count / 64
        let time = seconds {
            _ = pool.run(count: 64) { slice, _ in
                (target.pointer + slice * part).update(from: source.pointer + slice * part, count: part)
            }
        }
        return Double(2 * 4 * source.count) / time * 1e-9
    }

    /// A product of the shape that a block of Winograd tiles has, in the caches.
    private static func product() -> Double {
        let (m, n, k, times) = (64, 128, 128, 400)
        let (a, b, c) = (
            AlignedBuffer(count: m * k), AlignedBuffer(count: k * n), AlignedBuffer(count: m * n)
        )
        let scratch = AlignedBuffer(count: gemmScratchCount(n: n, k: k))
        let time = seconds {
            for _ in 0..<times {
                withExtendedLifetime((a, b, c, scratch)) {
                    gemm(
                        m: m, n: n, k: k, a: a.pointer, rowStrideA: k, columnStrideA: 1, b: b.pointer,
                        rowStrideB: n, columnStrideB: 1, c: c.pointer, rowStrideC: n, accumulate: false,
                        scratch: scratch.pointer)
                }
            }
        }
        return Double(times * 2 * m * n * k) / time * 1e-9
    }
}
