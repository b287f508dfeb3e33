import Support
import TSimCNEKernels
import Testing

@Suite struct NearestNeighborsTests {
    /// The neighbours of all rows, or of some that are no neighbours of themselves.
    static func table(
        _ rows: [Float], dimension d: Int, neighbors k: Int, metric: NearestNeighbors.Metric = .distance,
        of some: Range<Int>? = nil, threads: Int = 2
    ) -> [[Int]] {
        let some = some ?? 0..<rows.count / d
        let n = some.count
        let memory = AlignedBuffer(count: rows.count)
        let table = UnsafeMutablePointer<Int32>.allocate(capacity: n * k)
        defer { table.deallocate() }
        memory.pointer.update(from: rows, count: rows.count)
        let search = NearestNeighbors(
            rows: memory.pointer, count: rows.count / d, dimension: d, neighbors: k, metric: metric,
            queries: .init(memory.pointer + some.lowerBound * d, count: n, ownRow: some.lowerBound))
        let program = Program()
        program.keepAlive(memory)
        search.write(into: program, table: table)
        program.run(on: ThreadPool(threads: threads))
        return (0..<n).map { i in (0..<k).map { Int(table[i * k + $0]) } }
    }

    static func squaredDistance(_ rows: [Float], _ d: Int, _ i: Int, _ j: Int) -> Double {
        var sum = 0.0
        for c in 0..<d {
            let difference = Double(rows[i * d + c]) - Double(rows[j * d + c])
            sum += difference * difference
        }
        return sum
    }

    @Test(arguments: [(2, 3, 1), (17, 1, 5), (129, 7, 15), (700, 20, 16), (1100, 5, 3)])
    func areThoseOfNaiveLoops(n: Int, d: Int, k: Int) {
        let rows = values(n * d, seed: UInt64(n))
        let table = NearestNeighborsTests.table(rows, dimension: d, neighbors: k)
        for i in 0..<n {
            let distances = (0..<n).map { NearestNeighborsTests.squaredDistance(rows, d, i, $0) }
            let nearest = (0..<n).filter { $0 != i }.map { distances[$0] }.sorted().prefix(k)
            // Two that are nearly as far may change places.
            let found = table[i].map { distances[$0] }
            #expect(zip(found, nearest).allSatisfy { abs($0 - $1) < 1e-5 * (1 + $1) }, "row \(i)")
            #expect(Set(table[i]).count == k && !table[i].contains(i), "row \(i)")
        }
    }

    /// Few queries are compared with parts of the rows, side by side.
    @Test(arguments: [NearestNeighbors.Metric.distance, .cosine], [1, 3])
    func someFindWhatAllFind(metric: NearestNeighbors.Metric, threads: Int) {
        let (n, d, k) = (17_000, 3, 9)
        var rows = values(n * d, seed: 3)
        // Of rows that are as far the lowest comes first, whichever part it is in.
        for i in 0..<200 { for c in 0..<d { rows[(n - 1 - 50 * i) * d + c] = rows[i * d + c] } }
        let all = NearestNeighborsTests.table(rows, dimension: d, neighbors: k, metric: metric)
        for some in [5..<6, 0..<200, 16_990..<17_000] {
            let found = NearestNeighborsTests.table(
                rows, dimension: d, neighbors: k, metric: metric, of: some, threads: threads)
            #expect(found == Array(all[some]))
        }
    }

    @Test func byCosineTheLengthDoesNotMatter() {
        let (n, d, k) = (150, 6, 7)
        var rows = values(n * d, seed: 8)
        let unit = (0..<n).flatMap { i -> [Float] in
            let row = rows[i * d..<(i + 1) * d]
            let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return row.map { $0 / length }
        }
        let wanted = NearestNeighborsTests.table(unit, dimension: d, neighbors: k)
        for i in 0..<n * d { rows[i] *= Float(1 + i / d % 5) }
        #expect(NearestNeighborsTests.table(rows, dimension: d, neighbors: k, metric: .cosine) == wanted)
    }

    /// The share of the true neighbours that are found.
    static func recall(_ rows: [Float], _ d: Int, _ k: Int) -> Double {
        let n = rows.count / d
        let table = NearestNeighborsTests.table(rows, dimension: d, neighbors: k)
        let found = (0..<n).map { i in
            let distances = (0..<n).map { NearestNeighborsTests.squaredDistance(rows, d, i, $0) }
            let nearest = (0..<n).filter { $0 != i }.sorted { distances[$0] < distances[$1] }.prefix(k)
            return Set(nearest).intersection(table[i]).count
        }
        return Double(found.reduce(0, +)) / Double(n * k)
    }

    @Test func groupsThatLieFarApart() {
        let (n, d) = (400, 20)
        var rows = values(n * d, seed: 11)
        for i in 0..<n where i % 2 == 1 { rows[i * d] += 10_000 }
        #expect(NearestNeighborsTests.recall(rows, d, 15) > 0.99)
    }

    @Test func oneRowThatLiesFarFromTheOthers() {
        let (n, d) = (400, 20)
        var rows = values(n * d, seed: 12)
        // Rows lie as after centring with a row at a million.
        for i in 0..<n { rows[i * d] -= 2500 }
        rows[7 * d] = 997_500
        #expect(NearestNeighborsTests.recall(rows, d, 15) > 0.99)
    }

    @Test func directionsThatHardlyDiffer() {
        let (n, d, k) = (200, 12, 5)
        var rows = values(n * d, seed: 13).map { 1e-4 * $0 }
        for i in 0..<n { rows[i * d] += 1 }
        let table = NearestNeighborsTests.table(rows, dimension: d, neighbors: k, metric: .cosine)
        let unit = (0..<n).flatMap { i -> [Float] in
            let row = rows[i * d..<(i + 1) * d]
            let length = row.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            return row.map { Float(Double($0) / length) }
        }
        let found = (0..<n).map { i in
            let distances = (0..<n).map { NearestNeighborsTests.squaredDistance(unit, d, i, $0) }
            let nearest = (0..<n).filter { $0 != i }.sorted { distances[$0] < distances[$1] }.prefix(k)
            return Set(nearest).intersection(table[i]).count
        }
        #expect(Double(found.reduce(0, +)) / Double(n * k) > 0.98)
    }

    @Test func equalRowsComeInOrder() {
        let table = NearestNeighborsTests.table(
            [Float](repeating: 0.25, count: 40), dimension: 2, neighbors: 4)
        #expect(table[0] == [1, 2, 3, 4])
        #expect(table[10] == [0, 1, 2, 3])
    }

    @Test func rowsThatAreNotFiniteHaveThemselves() {
        var rows = values(60, seed: 3)
        rows[3] = .nan
        let table = NearestNeighborsTests.table(rows, dimension: 3, neighbors: 2)
        #expect(table[1] == [1, 1])
        #expect(table.enumerated().allSatisfy { i, row in i == 1 || !row.contains(1) })
    }
}
