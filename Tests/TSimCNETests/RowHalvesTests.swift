import Support
import TSimCNE
import Testing

@Suite struct RowHalvesTests {
    static func order(_ rows: [Float], _ dimension: Int, runs: [Int], tree: Int = 0, threads: Int = 1)
        -> [Int32]
    {
        var order = (0..<Int32(rows.count / dimension)).map { $0 }
        rows.withUnsafeBufferPointer { rows in
            order.withUnsafeMutableBufferPointer { order in
                for runs in runs {
                    RowHalves(
                        rows: rows.baseAddress!, count: order.count, dimension: dimension,
                        order: order.baseAddress!, runs: runs, tree: tree
                    ).run(on: ThreadPool(threads: threads))
                }
            }
        }
        return order
    }

    @Test(arguments: [(1, 1), (2, 3), (777, 5), (9001, 20)])
    func allRowsStay(count: Int, dimension: Int) {
        let rows = values(count * dimension, seed: 2)
        let runs = [1, 2, 4, 8].filter { $0 <= count }
        let order = RowHalvesTests.order(rows, dimension, runs: runs)
        #expect(order.sorted() == (0..<Int32(count)).map { $0 })
        #expect(RowHalvesTests.order(rows, dimension, runs: runs, threads: 4) == order)
    }

    @Test func twoKindsAreTwoHalves() {
        var rows = values(400 * 6, seed: 5)
        for i in 0..<400 where i % 3 == 0 || i == 1 || i < 200 && i % 3 == 1 { rows[i * 6 + 2] += 20 }
        let upper = (0..<400).filter { rows[$0 * 6 + 2] > 10 }
        let order = RowHalvesTests.order(rows, 6, runs: [1])
        let half = Set(order[..<200].map(Int.init))
        // The larger kind fills one half, or the smaller one lies in one.
        let shared = half.intersection(upper).count
        #expect(shared == 0 || shared == min(200, upper.count) || shared == upper.count - 200)
    }

    @Test func copiesAreHalvedByTheirNumbers() {
        let order = RowHalvesTests.order([Float](repeating: 1, count: 100), 2, runs: [1])
        #expect(Set(order[..<25]) == Set(0..<25))
    }
}
