import CTSimCNE
import TSimCNE

@_cdecl("tsimcne_halve")
public func tsimcne_halve(
    _ rows: UnsafePointer<Float>?, _ rowCount: Int64, _ dimension: Int64, _ runs: Int64, _ tree: Int64,
    _ threads: Int32, _ order: UnsafeMutablePointer<Int32>?
) -> Int32 {
    status {
        let (rows, order) = (try required(rows, "rows"), try required(order, "order"))
        try check(rowCount, in: 1...largestPointCount, "row_count")
        try check(dimension, in: 1...1 << 20, "dimension")
        try check(runs, in: 1...rowCount, "runs")
        try check(tree, in: 0...1 << 20, "tree")
        try checkNumbers(order, 0..<Int(rowCount), of: rowCount, "order")
        let pool = ThreadPool(threads: try threadCount(threads))
        let (count, columns) = (Int(rowCount), Int(dimension))
        try checkMemory(
            RowHalves.bytes(count: count, dimension: columns, runs: Int(runs)), "halving \(count) rows")
        RowHalves(
            rows: rows, count: count, dimension: columns, order: order, runs: Int(runs), tree: Int(tree)
        ).run(on: pool)
    }
}

@_cdecl("tsimcne_refine_neighbors")
public func tsimcne_refine_neighbors(
    _ graph: UnsafePointer<tsimcne_neighbor_graph>?, _ first: Int64, _ count: Int64, _ threads: Int32,
    _ target: UnsafeMutablePointer<Int32>?
) -> Int32 {
    status {
        let graph = try structure(graph, "graph", \.struct_size)
        let target = try required(target, "target")
        let rows = try neighborGraph(graph)
        try check(first, in: 0...graph.groups - 1, "first")
        try check(count, in: 1...graph.groups - first, "count")
        let (start, end) = (first * graph.row_count / graph.groups, first + count)
        try checkNumbers(
            rows.order, Int(start)..<Int(end * graph.row_count / graph.groups), of: graph.row_count,
            "graph.order")
        guard graph.reverse == nil || UnsafePointer(target) != rows.table else {
            throw Failure.argument("target: is graph.table, which others read")
        }
        let pool = ThreadPool(threads: try threadCount(threads))
        let program = Program()
        try checkMemory(rows.scratchCount * pool.threads * MemoryLayout<Float>.stride, "refining neighbours")
        program.add("neighbors", slices: Int(count), scratch: rows.scratchCount) {
            rows.refine(group: Int(first) + $0, into: target, scratch: $1)
        }
        program.run(on: pool)
    }
}

@_cdecl("tsimcne_reverse_neighbors")
public func tsimcne_reverse_neighbors(
    _ table: UnsafePointer<Int32>?, _ rowCount: Int64, _ neighbors: Int64, _ reverseCount: Int64,
    _ reverse: UnsafeMutablePointer<Int32>?
) -> Int32 {
    status {
        let (table, reverse) = (try required(table, "table"), try required(reverse, "reverse"))
        try check(rowCount, in: 1...largestPointCount, "row_count")
        try check(neighbors, in: 1...mostNeighbors, "neighbors")
        try check(reverseCount, in: 1...mostNeighbors, "reverse_count")
        try checkMemory(Int(rowCount) * MemoryLayout<Int32>.stride, "turning \(rowCount) neighbours round")
        NeighborGraph.reverse(
            table, count: Int(rowCount), neighbors: Int(neighbors), into: reverse, most: Int(reverseCount))
    }
}

private let mostNeighbors: Int64 = 1024

private func neighborGraph(_ graph: tsimcne_neighbor_graph) throws -> NeighborGraph {
    let rows = try required(graph.rows, "graph.rows")
    let (order, table) = (try required(graph.order, "graph.order"), try required(graph.table, "graph.table"))
    try check(graph.row_count, in: 1...largestPointCount, "graph.row_count")
    try check(graph.dimension, in: 1...1 << 20, "graph.dimension")
    try check(graph.neighbors, in: 1...mostNeighbors, "graph.neighbors")
    try check(graph.reverse_count, in: 0...mostNeighbors, "graph.reverse_count")
    let largest = Int64(CandidateComparison.largestGroup)
    try check(
        graph.groups, in: (graph.row_count + largest - 1) / largest...graph.row_count, "graph.groups")
    try check(graph.blocks, in: 0...graph.groups, "graph.blocks")
    guard graph.blocks == 0 || graph.groups % graph.blocks == 0 else {
        throw Failure.argument("graph.groups: got \(graph.groups), want a multiple of \(graph.blocks) blocks")
    }
    return NeighborGraph(
        comparison: CandidateComparison(
            rows: rows, dimension: Int(graph.dimension), neighbors: Int(graph.neighbors)),
        count: Int(graph.row_count), order: order, groups: Int(graph.groups), blocks: Int(graph.blocks),
        table: table, reverse: graph.reverse,
        reverseCount: graph.reverse == nil ? 0 : Int(graph.reverse_count))
}

/// Whether what is read as numbers of rows is that.
private func checkNumbers(
    _ numbers: UnsafePointer<Int32>, _ range: Range<Int>, of count: Int64, _ name: String
) throws {
    for i in range where !(0..<count).contains(Int64(numbers[i])) {
        throw Failure.argument("\(name): got \(numbers[i]), want 0 to \(count - 1)")
    }
}
