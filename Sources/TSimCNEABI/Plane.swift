import CTSimCNE
import TSimCNE

@_cdecl("tsimcne_nearest")
public func tsimcne_nearest(
    _ rows: UnsafePointer<Float>?, _ rowCount: Int64, _ queries: UnsafePointer<Float>?, _ queryCount: Int64,
    _ ownRow: Int64, _ dimension: Int64, _ neighbors: Int32, _ threads: Int32,
    _ indices: UnsafeMutablePointer<Int32>?
) -> Int32 {
    status {
        let (rows, queries) = (try required(rows, "rows"), try required(queries, "queries"))
        let indices = try required(indices, "indices")
        try check(rowCount, in: 1...largestPointCount, "row_count")
        try check(queryCount, in: 1...largestPointCount, "query_count")
        try check(dimension, in: 1...1 << 20, "dimension")
        let most = ownRow < 0 ? rowCount : rowCount - 1
        try check(neighbors, in: 1...Int32(max(1, min(most, 1024))), "neighbors")
        try check(ownRow, in: -1...max(-1, rowCount - queryCount), "own_row")
        let pool = ThreadPool(threads: try threadCount(threads))
        try checkMemory(
            NearestNeighbors.bytes(
                count: Int(rowCount), dimension: Int(dimension), queries: Int(queryCount),
                neighbors: Int(neighbors)), "comparing \(rowCount) rows")
        let search = NearestNeighbors(
            rows: rows, count: Int(rowCount), dimension: Int(dimension), neighbors: Int(neighbors),
            metric: .distance,
            queries: .init(queries, count: Int(queryCount), ownRow: ownRow < 0 ? nil : Int(ownRow)))
        let program = Program()
        search.write(into: program, table: indices)
        try checkMemory(
            program.scratchCount * pool.threads * MemoryLayout<Float>.stride, "looking for neighbours")
        program.run(on: pool)
    }
}

@_cdecl("tsimcne_directions")
public func tsimcne_directions(
    _ rows: UnsafePointer<Float>?, _ rowCount: Int64, _ dimension: Int64, _ wanted: Int32,
    _ iterations: Int32, _ threads: Int32, _ mean: UnsafeMutablePointer<Float>?,
    _ directions: UnsafeMutablePointer<Float>?, _ deviations: UnsafeMutablePointer<Float>?
) -> Int32 {
    status {
        let (rows, mean) = (try required(rows, "rows"), try required(mean, "mean"))
        let directions = try required(directions, "directions")
        let deviations = try required(deviations, "deviations")
        try check(rowCount, in: 1...largestPointCount, "row_count")
        try check(dimension, in: 1...1 << 20, "dimension")
        try check(wanted, in: 1...Int32(min(rowCount, dimension, 4096)), "wanted")
        try check(iterations, in: 1...1000, "iterations")
        let pool = ThreadPool(threads: try threadCount(threads))
        let (count, columns) = (Int(rowCount), Int(dimension))
        try checkMemory(
            Directions.bytes(
                count: count, dimension: columns, wanted: Int(wanted), threads: pool.threads),
            "finding directions among \(count) rows")
        let found = Directions(rows: rows, count: count, dimension: columns, wanted: Int(wanted))
        found.find(iterations: Int(iterations), into: directions, deviations: deviations, on: pool)
        for d in 0..<columns { mean[d] = Float(found.mean[d]) }
    }
}

@_cdecl("tsimcne_move_points")
public func tsimcne_move_points(
    _ points: UnsafePointer<tsimcne_points>?, _ steps: Int64, _ exaggeration: Float, _ rate: Float,
    _ momentum: Float, _ threads: Int32
) -> Int32 {
    status {
        let points = try structure(points, "points", \.struct_size)
        try check(points.count, in: 2...largestPointCount, "points.count")
        let count = Int(points.count)
        let positions = try required(points.positions, "points.positions")
        let velocities = try required(points.velocities, "points.velocities")
        let gains = try required(points.gains, "points.gains")
        for i in 0..<2 * count where !(positions[i] + velocities[i] + gains[i]).isFinite {
            throw Failure.argument("points.positions: got values that are not finite, or beside such")
        }
        let graph = try graph(points)
        try check(steps, in: 1...1 << 20, "steps")
        try check(exaggeration, in: 0...1000, "exaggeration")
        try check(rate, in: 0...1000, "rate")
        try check(momentum, in: 0...1, "momentum")
        let pool = ThreadPool(threads: try threadCount(threads))
        if let repulsion = points.repulsion {
            try check(steps, in: 1...1, "steps, with a repulsion that is given")
            for i in 0..<3 * count where !repulsion[i].isFinite {
                throw Failure.argument("points.repulsion: got values that are not finite")
            }
        } else {
            try checkMemory(
                FreePoints.plannedBytes(count: count, threads: pool.threads), "moving \(count) points")
        }
        let motion = FreePoints.Motion(exaggeration: exaggeration, rate: rate, momentum: momentum)
        FreePoints(
            count: count, positions: positions, velocities: velocities, gains: gains, graph: graph,
            motion: motion, repulsion: points.repulsion
        ).run(steps: Int(steps), on: pool)
    }
}

@_cdecl("tsimcne_repel_points")
public func tsimcne_repel_points(
    _ positions: UnsafePointer<Float>?, _ count: Int64, _ part: Int32, _ parts: Int32, _ threads: Int32,
    _ repulsion: UnsafeMutablePointer<Float>?
) -> Int32 {
    status {
        let positions = try required(positions, "positions")
        let repulsion = try required(repulsion, "repulsion")
        try check(count, in: 2...largestPointCount, "count")
        try check(parts, in: 1...1 << 20, "parts")
        try check(part, in: 0...parts - 1, "part")
        for i in 0..<2 * Int(count) where !positions[i].isFinite {
            throw Failure.argument("positions: got values that are not finite")
        }
        let pool = ThreadPool(threads: try threadCount(threads))
        try checkMemory(
            PointRepulsion.plannedBytes(count: Int(count), threads: pool.threads),
            "what keeps \(count) points apart")
        repulsion.update(repeating: 0, count: 3 * Int(count))
        let program = Program()
        PointRepulsion(count: Int(count), positions: positions, sums: repulsion)
            .write(into: program, part: Int(part), of: Int(parts))
        program.run(on: pool)
    }
}

/// As numbers of points are 32-bit ones.
let largestPointCount: Int64 = 1 << 31 - 1

private func graph(_ points: tsimcne_points) throws -> FreePoints.Graph {
    let (count, offsets) = (Int(points.count), try required(points.offsets, "points.offsets"))
    let neighbors = try required(points.neighbors, "points.neighbors")
    let weights = try required(points.weights, "points.weights")
    guard offsets[0] == 0, (0..<count).allSatisfy({ offsets[$0] <= offsets[$0 + 1] }) else {
        throw Failure.argument("points.offsets: want 0 first, and none below the one before")
    }
    for k in 0..<Int(offsets[count]) {
        guard (0..<Int32(truncatingIfNeeded: count)).contains(neighbors[k]) else {
            throw Failure.argument("points.neighbors: got \(neighbors[k]), want 0 to \(count - 1)")
        }
        guard weights[k] >= 0, weights[k] <= Float(count) else {
            throw Failure.argument("points.weights: got \(weights[k]), want 0 to \(count)")
        }
    }
    return FreePoints.Graph(offsets: offsets, neighbors: neighbors, weights: weights)
}
