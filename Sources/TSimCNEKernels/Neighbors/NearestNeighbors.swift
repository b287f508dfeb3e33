/// The nearest of many rows, by comparison with all of them.
///
/// Row b is the nearer to a, the higher a · b · scale(b) - offset(b): with |b|² / 2 as offset that is the order
/// of distances, with 1 / |b| as scale that of cosines.
public struct NearestNeighbors {
    public enum Metric: Sendable { case cosine, distance }

    /// (count × dimension) rows.
    public let rows: UnsafePointer<Float>
    private let scales: AlignedBuffer
    private let offsets: AlignedBuffer
    public let count: Int
    public let dimension: Int
    /// Neighbours of a row, at most `count` - 1.
    public let neighbors: Int

    public init(
        rows: UnsafePointer<Float>, count: Int, dimension: Int, neighbors: Int, metric: Metric
    ) {
        self.rows = rows
        self.count = count
        self.dimension = dimension
        self.neighbors = neighbors
        scales = AlignedBuffer(count: count)
        offsets = AlignedBuffer(count: count)
        for i in 0..<count {
            let row = rows + i * dimension
            var square: Float = 0
            for d in 0..<dimension { square += row[d] * row[d] }
            switch metric {
            case .distance: (scales.pointer[i], offsets.pointer[i]) = (1, square / 2)
            case .cosine: scales.pointer[i] = square > 0 ? 1 / square.squareRoot() : 0
            }
        }
    }

    /// Rows whose neighbours are looked for together, and rows that they are compared with at a time.
    private static let (queries, references) = (128, 512)

    public var slices: Int {
        (count + NearestNeighbors.queries - 1) / NearestNeighbors.queries
    }

    public var scratchCount: Int {
        gemmScratchCount(n: NearestNeighbors.references, k: dimension)
            + NearestNeighbors.queries * (NearestNeighbors.references + neighbors)
    }

    /// Writes the neighbours of the slice's rows to their places in `table` (count × neighbors), the nearest
    /// first and the lower index before the higher one of the same distance.
    public func run(
        slice: Int, into table: UnsafeMutablePointer<Int32>, scratch: UnsafeMutablePointer<Float>
    ) {
        let first = slice * NearestNeighbors.queries
        let last = min(count, first + NearestNeighbors.queries)
        let scores = scratch + gemmScratchCount(n: NearestNeighbors.references, k: dimension)
        let best = scores + NearestNeighbors.queries * NearestNeighbors.references
        best.update(repeating: -.infinity, count: (last - first) * neighbors)
        for query in first..<last {
            // What cannot be compared, as it is not finite, has itself.
            (table + query * neighbors).update(repeating: Int32(query), count: neighbors)
        }
        var start = 0
        while start < count {
            let width = min(NearestNeighbors.references, count - start)
            gemm(
                m: last - first, n: width, k: dimension, a: rows + first * dimension, rowStrideA: dimension,
                columnStrideA: 1, b: rows + start * dimension, rowStrideB: 1, columnStrideB: dimension,
                c: scores, rowStrideC: NearestNeighbors.references, accumulate: false, scratch: scratch)
            for query in first..<last {
                take(
                    scores + (query - first) * NearestNeighbors.references, of: start, width, query,
                    best: best + (query - first) * neighbors, table: table + query * neighbors)
            }
            start += width
        }
    }

    /// Takes what is nearer than the furthest neighbour so far.
    private func take(
        _ products: UnsafePointer<Float>, of start: Int, _ width: Int, _ query: Int,
        best: UnsafeMutablePointer<Float>, table: UnsafeMutablePointer<Int32>
    ) {
        let (scales, offsets) = (scales.pointer + start, offsets.pointer + start)
        var worst = best[neighbors &- 1]
        var k = 0
        func compare(_ j: Int) {
            let score = products[j] * scales[j] - offsets[j]
            guard score > worst, start &+ j != query else { return }
            var place = neighbors &- 1
            while place > 0, best[place &- 1] < score {
                best[place] = best[place &- 1]
                table[place] = table[place &- 1]
                place &-= 1
            }
            best[place] = score
            table[place] = Int32(truncatingIfNeeded: start &+ j)
            worst = best[neighbors &- 1]
        }
        while k &+ Lanes.scalarCount <= width {
            let score = products.lanes(k) * scales.lanes(k) - offsets.lanes(k)
            if any(score .> Lanes(repeating: worst)) {
                for j in k..<(k &+ Lanes.scalarCount) { compare(j) }
            }
            k &+= Lanes.scalarCount
        }
        while k < width {
            compare(k)
            k &+= 1
        }
    }
}
