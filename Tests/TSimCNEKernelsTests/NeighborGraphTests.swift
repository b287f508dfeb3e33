import Support
import TSimCNEKernels
import Testing

@Suite struct NeighborGraphTests {
    /// The first of a line's neighbours, up to where there are none.
    static func lines(_ table: [Int32], _ width: Int) -> [[Int]] {
        stride(from: 0, to: table.count, by: width).map { first in
            table[first..<first + width].filter { $0 >= 0 }.map(Int.init)
        }
    }

    /// The number of the run, of so many, that each place lies in.
    static func run(_ index: Int, of runs: Int, _ order: [Int32]) -> [Int] {
        order[index * order.count / runs..<(index + 1) * order.count / runs].map(Int.init)
    }

    static func refined(
        _ rows: [Float], dimension: Int, order: [Int32], groups: Int, blocks: Int, table: [Int32],
        reverse: [Int32]?, width: Int
    ) -> [Int32] {
        let count = order.count
        let memory = AlignedBuffer(count: rows.count)
        memory.pointer.update(from: rows, count: rows.count)
        let target = UnsafeMutablePointer<Int32>.allocate(capacity: count * width)
        defer { target.deallocate() }
        let comparison = CandidateComparison(rows: memory.pointer, dimension: dimension, neighbors: width)
        order.withUnsafeBufferPointer { order in
            table.withUnsafeBufferPointer { table in
                (reverse ?? []).withUnsafeBufferPointer { others in
                    let graph = NeighborGraph(
                        comparison: comparison, count: count, order: order.baseAddress!, groups: groups,
                        blocks: blocks, table: table.baseAddress!,
                        reverse: reverse == nil ? nil : others.baseAddress,
                        reverseCount: reverse == nil ? 0 : width)
                    let scratch = AlignedBuffer(count: graph.scratchCount)
                    for k in 0..<graph.scratchCount { scratch.pointer[k] = .nan }
                    for group in (0..<groups).reversed() {
                        graph.refine(group: group, into: target, scratch: scratch.pointer)
                    }
                }
            }
        }
        return withExtendedLifetime(memory) {
            Array(UnsafeBufferPointer(start: target, count: count * width))
        }
    }

    @Test(arguments: [
        (1, 1, 0, false), (64, 1, 1, false), (500, 16, 4, false), (500, 10, 0, true), (1030, 17, 0, true),
        (90, 45, 3, true),
    ])
    func areThoseOfTheReference(count: Int, groups: Int, blocks: Int, isTwoStepsFar: Bool) {
        let (dimension, width) = (19, 5)
        let rows = values(count * dimension, seed: UInt64(count))
        let numbers = values(count * width, seed: 3)
        var table = numbers.map { $0 < -0.8 ? -1 : Int32(($0 + 1) / 2 * Float(count - 1)) }
        let order = (0..<count).map { Int32(($0 * 7 + 3) % count) }
        #expect(Set(order).count == count, "7 divides the count")
        var reverse: [Int32]?
        if isTwoStepsFar {
            var found = [Int32](repeating: 0, count: count * width)
            NeighborGraph.reverse(table, count: count, neighbors: width, into: &found, most: width)
            reverse = found
        }
        let known = NeighborGraphTests.lines(table, width)
        if let reverse {
            // Ranks count where there are gaps: the reference has the whole lines.
            let whole = stride(from: 0, to: table.count, by: width).map {
                table[$0..<$0 + width].map(Int.init)
            }
            let wanted = NeighborsReference.reverse(whole, most: width)
            #expect(NeighborGraphTests.lines(reverse, width) == wanted)
        }
        // What is no row's number is no neighbour.
        for k in table.indices where table[k] == -1 { table[k] = Int32(count) + Int32(k % 2) }
        let found = NeighborGraphTests.refined(
            rows, dimension: dimension, order: order, groups: groups, blocks: blocks, table: table,
            reverse: reverse, width: width)
        for group in 0..<groups {
            let members = NeighborGraphTests.run(group, of: groups, order)
            let block =
                blocks == 0 ? [] : NeighborGraphTests.run(group * blocks / groups, of: blocks, order)
            let candidates = NeighborsReference.candidates(
                group: members, block: block, table: known,
                reverse: reverse.map { NeighborGraphTests.lines($0, width) })
            for row in members {
                let wanted = NeighborsReference.nearest(
                    to: row, of: candidates, in: rows, dimension: dimension, most: width)
                let line = found[row * width..<(row + 1) * width].map(Int.init)
                #expect(line == wanted + Array(repeating: -1, count: width - wanted.count), "row \(row)")
            }
        }
    }

    @Test func rowsThatLieFarFromTheOrigin() {
        let (count, dimension) = (60, 8)
        var rows = values(count * dimension, seed: 4)
        for k in rows.indices where k % dimension == 0 { rows[k] += 100_000 }
        let found = NeighborGraphTests.refined(
            rows, dimension: dimension, order: (0..<Int32(count)).map { $0 }, groups: 1, blocks: 1,
            table: [Int32](repeating: -1, count: count * 3), reverse: nil, width: 3)
        for row in 0..<count {
            let wanted = NeighborsReference.nearest(
                to: row, of: Set(0..<count), in: rows, dimension: dimension, most: 3)
            #expect(found[row * 3..<row * 3 + 3].map(Int.init) == wanted)
        }
    }

    @Test func rowsThatAreNotFiniteAreNobodysNeighbours() {
        var rows = values(60, seed: 3)
        rows[3] = .nan
        let found = NeighborGraphTests.refined(
            rows, dimension: 3, order: (0..<20).map { $0 }, groups: 4, blocks: 1,
            table: [Int32](repeating: -1, count: 40), reverse: nil, width: 2)
        #expect(!found.contains(1))
        #expect(found[2...3] == [-1, -1])
    }

    @Test func partitionIsThatOfSorting() {
        for seed in 1...200 as ClosedRange<UInt64> {
            let count = 1 + Int(seed) % 67
            let numbers = values(count, seed: seed).map { ($0 * Float(seed % 9)).rounded() + 0 }
            var keys = numbers.enumerated().map { sortingKey($0.element, Int32($0.offset)) }
            let (sorted, first) = (keys.sorted(), Int(seed * 31) % (count + 1))
            keys.withUnsafeMutableBufferPointer { partition($0.baseAddress!, count: count, first: first) }
            #expect(keys[..<first].sorted() == Array(sorted[..<first]))
            let order = sorted.map { Int($0 & 0xffff_ffff) }
            #expect(zip(order, order.dropFirst()).allSatisfy { (numbers[$0], $0) < (numbers[$1], $1) })
        }
    }
}
