import Support
import TSimCNE
import Testing

@Suite struct DirectionsTests {
    struct Found {
        var mean: [Double]
        var directions, deviations: [Float]
    }

    static func find(_ rows: [Float], _ dimension: Int, wanted: Int, iterations: Int = 30, threads: Int = 1)
        -> Found
    {
        let found = Directions(
            rows: rows, count: rows.count / dimension, dimension: dimension, wanted: wanted)
        var result = Found(
            mean: found.mean, directions: [Float](repeating: .nan, count: wanted * dimension),
            deviations: [Float](repeating: .nan, count: wanted))
        found.find(
            iterations: iterations, into: &result.directions, deviations: &result.deviations,
            on: ThreadPool(threads: threads))
        return result
    }

    /// Rows that vary less and less along the axes, about a mean.
    static func rows(_ count: Int, _ dimension: Int) -> [Float] {
        let noise = values(count * dimension, seed: 9)
        var scale: [Float] = [1]
        for _ in 1..<dimension { scale.append(scale.last! * 0.7) }
        return noise.indices.map { 3 + noise[$0] * scale[$0 % dimension] }
    }

    @Test(arguments: [(200, 9, 4), (700, 130, 7), (5, 40, 3), (40, 3, 3), (1, 4, 1), (300, 80, 70)])
    func eachIsMadeLongerByTheCovarianceAndNotTurned(count: Int, dimension: Int, wanted: Int) {
        let rows = DirectionsTests.rows(count, dimension)
        let found = DirectionsTests.find(rows, dimension, wanted: wanted, iterations: 200)
        for d in 0..<dimension {
            let mean =
                stride(from: d, to: rows.count, by: dimension).reduce(0) { $0 + Double(rows[$1]) }
                / Double(count)
            #expect(abs(found.mean[d] - mean) < 1e-9)
        }
        for k in 0..<wanted {
            let v = doubles(Array(found.directions[k * dimension..<(k + 1) * dimension]))
            var image = [Double](repeating: 0, count: dimension)
            for r in 0..<count {
                let row = (0..<dimension).map { Double(rows[r * dimension + $0]) - found.mean[$0] }
                let along = zip(row, v).reduce(0) { $0 + $1.0 * $1.1 }
                for d in 0..<dimension { image[d] += along * row[d] / Double(count) }
            }
            let variance = Double(found.deviations[k]) * Double(found.deviations[k])
            for d in 0..<dimension {
                #expect(abs(image[d] - variance * v[d]) <= 2e-3 * Double(found.deviations[0]))
            }
            if k > 0 { #expect(found.deviations[k] <= found.deviations[k - 1]) }
            for l in 0..<k {
                let other = doubles(Array(found.directions[l * dimension..<(l + 1) * dimension]))
                #expect(abs(zip(v, other).reduce(0) { $0 + $1.0 * $1.1 }) < 1e-5)
            }
        }
    }

    @Test func threadsChangeNothing() {
        let rows = DirectionsTests.rows(300, 150)
        let (one, three) = (
            DirectionsTests.find(rows, 150, wanted: 20),
            DirectionsTests.find(rows, 150, wanted: 20, threads: 3)
        )
        #expect(one.directions == three.directions)
        #expect(one.deviations == three.deviations)
    }

    @Test func rowsOfOneDirectionHaveNoOther() {
        let rows = (0..<60).flatMap { (i: Int) -> [Float] in [Float(i), 2 * Float(i), 0] }
        let found = DirectionsTests.find(rows, 3, wanted: 3)
        #expect(found.deviations[0] > 30 && found.deviations[1] < 1e-3 && found.deviations[2] < 1e-3)
        #expect(found.directions.allSatisfy { $0.isFinite })
        #expect(DirectionsTests.find([Float](repeating: 2, count: 30), 3, wanted: 2).deviations == [0, 0])
    }
}
