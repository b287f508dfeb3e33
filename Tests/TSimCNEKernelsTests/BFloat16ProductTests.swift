import Support
import Testing

@testable import TSimCNEKernels

@Suite(.enabled(if: Precision.bfloat16.isAvailable)) struct BFloat16ProductTests {
    private func rounded(_ value: Float) -> Float {
        let bits = value.bitPattern
        return Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000)
    }

    /// Pairs of rows, as elements.
    private func pairs(_ a: [Float], of b: [Float]) -> [Float] {
        zip(a, b).map { Float(bitPattern: rounded($1).bitPattern | rounded($0).bitPattern >> 16) }
    }

    @Test(arguments: [1, 2, 3, 4, 7, 8, 13], [1, 16, 31, 64, 70])
    func areSumsOfProductsOfRoundedNumbers(m: Int, n: Int) {
        for depth in [1, 8, 9, 150] {
            let a = (0..<2).map { values(m * depth, seed: UInt64($0)) }
            let b = (2..<4).map { values(depth * n, seed: UInt64($0)) }
            let (left, result) = (
                Tensor(Shape(rows: m, columns: depth)), Tensor(Shape(rows: m, columns: n))
            )
            left.copy(from: pairs(a[0], of: a[1]))
            let panels = Panels(columns: n)
            let packed = AlignedBuffer(count: depth * panels.width)
            pairs(b[0], of: b[1]).withUnsafeBufferPointer {
                panels.pack(
                    rows: depth, source: $0.baseAddress!, rowStride: n, columnStride: 1, into: packed.pointer)
            }
            withExtendedLifetime((left, result, packed)) {
                multiplyPacked(
                    m: m, k: depth, a: left.pointer, rowStrideA: depth, columnStrideA: 1, panels: panels,
                    packed: packed.pointer, c: result.pointer, rowStrideC: n, accumulate: false,
                    precision: .bfloat16)
            }
            var wanted = [Double](repeating: 0, count: m * n)
            for (a, b) in zip(a, b) {
                for i in 0..<m {
                    for j in 0..<n {
                        for k in 0..<depth {
                            wanted[i * n + j] +=
                                Double(rounded(a[i * depth + k])) * Double(rounded(b[k * n + j]))
                        }
                    }
                }
            }
            #expect(relativeError(result.values, wanted) < 1e-5)
        }
    }

    /// Ties go to the even number; what is beyond the largest number is infinite.
    @Test func numbersAreRoundedToTheNearest() {
        let numbers = values(10, seed: 9) + [1.00390625, 1.01171875, -1.00390625, 3.4e38, .infinity, 0]
        let (neighbors, firsts) = (AlignedBuffer(count: 16), AlignedBuffer(count: 16))
        let vector = Lanes(numbers[0..<Lanes.scalarCount])
        BFloat16Pair.storeNeighbors(vector, neighbors.pointer)
        BFloat16Pair.store(vector, firsts.pointer, isSecond: false)
        BFloat16Pair.store(-vector, firsts.pointer, isSecond: true)
        for i in 0..<8 {
            #expect(
                neighbors.pointer[i].bitPattern
                    == pairs([numbers[2 * i]], of: [numbers[2 * i + 1]])[0].bitPattern)
        }
        for i in 0..<16 {
            #expect(firsts.pointer[i].bitPattern == pairs([numbers[i]], of: [(-vector)[i]])[0].bitPattern)
        }
    }
}
