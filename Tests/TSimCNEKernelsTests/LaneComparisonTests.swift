import Testing

@testable import TSimCNEKernels

/// What is done to a vector, beside the same to each of its lanes.
struct LaneComparisonTests {
    /// Every value meets every other one in some pair of vectors.
    private static let values: [Float] = [
        0, -0.0, 1, -1, 0.5, .leastNormalMagnitude, .greatestFiniteMagnitude, .infinity, -.infinity, .nan,
        3, 3.000_000_2,
    ]

    private func forEachPair(_ body: (Lanes, Lanes) -> Void) {
        let values = LaneComparisonTests.values
        for shift in values.indices {
            var (a, b) = (Lanes.zero, Lanes.zero)
            for first in stride(from: 0, to: values.count, by: Lanes.scalarCount) {
                for lane in 0..<Lanes.scalarCount {
                    a[lane] = values[(first + lane) % values.count]
                    b[lane] = values[(first + lane + shift) % values.count]
                }
                body(a, b)
            }
        }
    }

    private func lanes(_ mask: LanesMask) -> [Bool] { (0..<Lanes.scalarCount).map { mask[$0] } }

    private func each(_ a: Lanes, _ b: Lanes, _ compare: (Float, Float) -> Bool) -> [Bool] {
        (0..<Lanes.scalarCount).map { compare(a[$0], b[$0]) }
    }

    @Test func aMaskHasABitForEachLane() {
        forEachPair { a, b in
            let mask = a .< b
            #expect(
                (0..<32).map { mask.bits >> $0 & 1 == 1 }
                    == (0..<32).map { $0 < Lanes.scalarCount && mask[$0] })
        }
    }

    @Test func comparisonsAreThoseOfNumbers() {
        forEachPair { a, b in
            #expect(lanes(a .< b) == each(a, b, <))
            #expect(lanes(a .<= b) == each(a, b, <=))
            #expect(lanes(a .> b) == each(a, b, >))
            #expect(lanes(a .>= b) == each(a, b, >=))
            #expect(lanes(a .== b) == each(a, b, ==))
            #expect(lanes(a .!= b) == each(a, b, !=))
        }
    }

    @Test(arguments: values) func aNumberIsAVectorOfIt(number: Float) {
        forEachPair { a, _ in
            let b = Lanes(repeating: number)
            #expect(lanes(a .< number) == each(a, b, <))
            #expect(lanes(a .<= number) == each(a, b, <=))
            #expect(lanes(a .> number) == each(a, b, >))
            #expect(lanes(a .>= number) == each(a, b, >=))
            #expect(lanes(a .== number) == each(a, b, ==))
        }
    }

    @Test func replacingTakesTheOtherWhereTheMaskIsSet() {
        forEachPair { a, b in
            let mask = a .< b
            let whole = a.replacing(with: b, where: mask)
            let one = a.replacing(with: 7, where: mask)
            for lane in 0..<Lanes.scalarCount {
                #expect(whole[lane].bitPattern == (mask[lane] ? b : a)[lane].bitPattern)
                #expect(one[lane].bitPattern == (mask[lane] ? 7 : a[lane]).bitPattern)
            }
        }
    }
}
