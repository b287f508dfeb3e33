import Support
import Testing

@testable import TSimCNEKernels

@Suite struct GEMMTests {
    @Test(arguments: [1, 2, 5, 16, 33, 64, 130], [1, 3, 16, 31, 64, 70, 129])
    func equalsNaiveLoops(m: Int, n: Int) {
        for (k, transposes) in [(1, false), (7, true), (150, false), (97, true)] {
            let (a, b, c) = (values(m * k, seed: 1), values(k * n, seed: 2), values(m * n, seed: 3))
            let (left, right) = (Tensor(Shape(rows: m, columns: k)), Tensor(Shape(rows: k, columns: n)))
            let result = Tensor(Shape(rows: m, columns: n))
            let scratch = AlignedBuffer(count: gemmScratchCount(n: n, k: k))
            left.copy(from: a)
            right.copy(from: b)
            result.copy(from: c)
            withExtendedLifetime((left, right, result, scratch)) {
                gemm(
                    m: m, n: n, k: k, a: left.pointer, rowStrideA: transposes ? 1 : k,
                    columnStrideA: transposes ? m : 1, b: right.pointer, rowStrideB: transposes ? 1 : n,
                    columnStrideB: transposes ? k : 1, c: result.pointer, rowStrideC: n, accumulate: true,
                    scratch: scratch.pointer)
            }
            var wanted = doubles(c)
            for i in 0..<m {
                for j in 0..<n {
                    for l in 0..<k {
                        wanted[i * n + j] +=
                            Double(transposes ? a[l * m + i] : a[i * k + l])
                            * Double(transposes ? b[j * k + l] : b[l * n + j])
                    }
                }
            }
            #expect(relativeError(result.values, wanted) < 1e-5)
        }
    }

    /// What is summed over may be longer than the library can be told at once.
    @Test(arguments: [false, true], [false, true])
    func openBLASSumsInParts(transposeA: Bool, transposeB: Bool) {
        let (m, n, k) = (3, 5, 11)
        let (a, b) = (Tensor(Shape(rows: m, columns: k)), Tensor(Shape(rows: k, columns: n)))
        a.copy(from: values(a.count, seed: 1))
        b.copy(from: values(b.count, seed: 2))
        for accumulate in [false, true] {
            let results = [k, 4].map { longest in
                let c = Tensor(Shape(rows: m, columns: n))
                c.copy(from: values(c.count, seed: 3))
                BLAS.singleThreaded {
                    BLAS.multiply(
                        m: m, n: n, k: k, a: a.pointer, lda: transposeA ? m : k, transposeA: transposeA,
                        b: b.pointer, ldb: transposeB ? k : n, transposeB: transposeB, c: c.pointer, ldc: n,
                        accumulate: accumulate, longest: longest)
                }
                return c.values
            }
            #expect(relativeError(results[1], doubles(results[0])) < 1e-6)
        }
    }

    @Test func denseAlgebraLeavesTheThreadsOfOpenBLASAsFound() {
        let (a, b) = (Tensor(Shape(rows: 3, columns: 4)), Tensor(Shape(rows: 4, columns: 5)))
        let (c, scratch) = (Tensor(Shape(rows: 3, columns: 5)), AlignedBuffer(count: 1 << 12))
        a.copy(from: values(12, seed: 1))
        b.copy(from: values(20, seed: 2))
        withExtendedLifetime((a, b, c, scratch)) {
            BLAS.singleThreaded {
                BLAS.singleThreaded {
                    DenseAlgebra.multiply(
                        m: 3, n: 5, k: 4, a: a.pointer, lda: 4, b: b.pointer, ldb: 5, c: c.pointer, ldc: 5,
                        scratch: scratch.pointer)
                }
            }
        }
        let first = (0..<4).reduce(0.0) { $0 + Double(a.values[$1]) * Double(b.values[5 * $1]) }
        #expect(abs(Double(c.values[0]) - first) < 1e-6)
    }
}
