import Support
import TSimCNEKernels
import Testing

@Suite struct RepulsionTests {
    /// The sums of all points by the tree.
    static func sums(_ y: [Float]) -> (similarities: [Float], forces: [Float]) {
        let count = y.count / 2
        let points = PlanePoints(count: count)
        let repulsion = Repulsion(points)
        let (similarities, forces) = (AlignedBuffer(count: count), AlignedBuffer(count: y.count))
        let scratch = AlignedBuffer(count: Repulsion.scratchCount)
        points.findKeys(0..<count, of: y, left: y.min()!, bottom: y.min()!, width: y.max()! - y.min()!)
        points.sort()
        points.fill(leaves: 0..<points.leaves, from: y)
        points.join()
        for leaf in 0..<points.leaves {
            repulsion.run(
                leaf: leaf, weights: similarities.pointer, forces: forces.pointer, scratch: scratch.pointer)
        }
        return withExtendedLifetime((similarities, forces)) {
            (
                Array(UnsafeBufferPointer(start: similarities.pointer, count: count)),
                Array(UnsafeBufferPointer(start: forces.pointer, count: y.count))
            )
        }
    }

    /// Root of the mean square of errors, as a part of that of what is wanted.
    static func meanError(_ a: [Float], _ b: [Double]) -> Double {
        let errors = zip(a, b).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
        return (errors / b.reduce(0) { $0 + $1 * $1 }).squareRoot()
    }

    /// Points in some islands, as on a map.
    static func islands(_ count: Int, spread: Float) -> [Float] {
        let (places, shifts) = (values(2 * count, seed: 3), values(24, seed: 4))
        return (0..<2 * count).map { (i: Int) -> Float in
            let island = i / 2 % 12
            return places[i] + spread * shifts[2 * island + i % 2]
        }
    }

    @Test(arguments: [2, 3, 31, 32])
    func thePointsOfALeafAreExact(count: Int) {
        let y = values(2 * count, seed: 7)
        let (similarities, forces) = RepulsionTests.sums(y)
        let wanted = PointsReference.repulsion(doubles(y))
        #expect(relativeError(similarities, wanted.similarities) < 1e-5)
        #expect(relativeError(forces, wanted.forces) < 1e-5)
    }

    @Test(arguments: [Float(2), 30, 300])
    func manyAreNearlySo(spread: Float) {
        let y = RepulsionTests.islands(3000, spread: spread)
        let (similarities, forces) = RepulsionTests.sums(y)
        let wanted = PointsReference.repulsion(doubles(y))
        #expect(RepulsionTests.meanError(similarities, wanted.similarities) < 0.01)
        #expect(RepulsionTests.meanError(forces, wanted.forces) < 0.03)
    }

    @Test func pointsOfOnePlaceSeeEachOther() {
        let y = [Float](repeating: 3, count: 2 * 5000)
        let (similarities, forces) = RepulsionTests.sums(y)
        #expect(similarities.allSatisfy { abs($0 - 4999) < 0.5 } && forces.allSatisfy { $0 == 0 })
    }

    @Test func pointsThatAreNoNumbersEndInTheCorner() {
        var y = values(400, seed: 9)
        y[10] = .nan
        y[21] = .infinity
        let points = PlanePoints(count: 200)
        points.findKeys(0..<200, of: y, left: -1, bottom: -1, width: 2)
        points.sort()
        points.fill(leaves: 0..<points.leaves, from: y)
        points.join()
    }
}
