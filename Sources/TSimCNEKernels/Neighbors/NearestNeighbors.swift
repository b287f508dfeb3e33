/// The nearest of many rows to each of some queries, by comparison with all of them.
///
/// Row b is the nearer to the query a, the higher a · b · scale(b) - offset(b): with |b|² / 2 as offset that is the order
/// of distances, with 1 / |b| as scale that of cosines. Products lose distances that are small beside the rows'
/// lengths, as of groups that lie far apart: where the furthest neighbour that was found is so near, the row is
/// compared once more, by differences.
public struct NearestNeighbors {
    public enum Metric: Sendable { case cosine, distance }

    /// What is compared with the rows (count × dimension).
    public struct Queries {
        public let values: UnsafePointer<Float>
        public let count: Int
        /// Which row the first query is, where queries are rows themselves: no row is its own neighbour.
        public let ownRow: Int?

        public init(_ values: UnsafePointer<Float>, count: Int, ownRow: Int? = nil) {
            self.values = values
            self.count = count
            self.ownRow = ownRow
        }
    }

    /// The rows (count × dimension).
    public let rows: UnsafePointer<Float>
    private let queries: Queries
    private let metric: Metric
    private let scales: AlignedBuffer
    private let offsets: AlignedBuffer
    public let count: Int
    public let dimension: Int
    /// Neighbours of a query: at most `count`, one less where queries are rows.
    public let neighbors: Int

    /// - Parameter queries: nil for all rows.
    public init(
        rows: UnsafePointer<Float>, count: Int, dimension: Int, neighbors: Int, metric: Metric,
        queries: Queries? = nil
    ) {
        self.rows = rows
        self.queries = queries ?? Queries(rows, count: count, ownRow: 0)
        self.count = count
        self.dimension = dimension
        self.neighbors = neighbors
        self.metric = metric
        block = NearestNeighbors.block(count: count, dimension: dimension)
        parts = NearestNeighbors.parts(count: count, dimension: dimension, queries: self.queries.count)
        scales = AlignedBuffer(count: count)
        offsets = AlignedBuffer(count: count)
        found = AlignedBuffer(count: parts == 1 ? 0 : 2 * parts * self.queries.count * neighbors)
    }

    /// Bytes that it takes from the system, beside scratch memory.
    public static func bytes(count: Int, dimension: Int, queries: Int, neighbors: Int) -> Int {
        let parts = parts(count: count, dimension: dimension, queries: queries)
        return 2 * (count + (parts == 1 ? 0 : parts * queries * neighbors)) * MemoryLayout<Float>.stride
    }

    /// Queries whose neighbours are looked for together: so few that a slice takes less than a second.
    private let block: Int
    /// Parts of the rows that are looked through side by side, where queries are too few for many slices.
    private let parts: Int
    /// What each part has found of each query: scores, then numbers of rows.
    private let found: AlignedBuffer
    /// Most multiplications of a slice, about.
    private static let work = 20_000_000_000
    /// Rows that they are compared with at a time.
    private static let references = 512
    /// A squared distance that is smaller than this part of the rows' squared lengths is known to less than a
    /// hundredth from products: eight roundings of 2⁻²⁴, of which each weighs twice.
    private static let precision: Float = 100 * 16 * 0x1p-24

    private static func block(count: Int, dimension: Int) -> Int {
        min(128, max(8, work / max(1, count * dimension)))
    }

    /// A part has several thousand rows, and what the parts find takes little memory.
    private static func parts(count: Int, dimension: Int, queries: Int) -> Int {
        let block = block(count: count, dimension: dimension)
        return max(1, min(16 / ((queries + block - 1) / block), count / 4096))
    }

    /// Appends the search. It writes the neighbours of the queries to `table` (queries × neighbors), the nearest
    /// first and the lower index before the higher one of the same distance.
    public func write(into program: Program, table: UnsafeMutablePointer<Int32>) {
        let rows = 4096
        program.add("row lengths", slices: (count + rows - 1) / rows) { slice, _ in
            measure(slice * rows..<min(count, (slice + 1) * rows))
        }
        let blocks = (queries.count + block - 1) / block
        program.add("neighbors", slices: blocks * parts, scratch: scratchCount) { slice, scratch in
            run(block: slice / parts, part: slice % parts, into: table, scratch: scratch)
        }
        guard parts > 1 else { return }
        program.add("neighbors of all parts", slices: queries.count, scratch: neighbors) { query, scratch in
            join(query, into: table + query * neighbors, best: scratch)
        }
    }

    /// What the products with some rows are multiplied by, and what is taken from them.
    private func measure(_ range: Range<Int>) {
        for i in range {
            let square = squaredLength(rows + i * dimension)
            switch metric {
            case .distance: (scales.pointer[i], offsets.pointer[i]) = (1, square / 2)
            case .cosine: scales.pointer[i] = square > 0 ? 1 / square.squareRoot() : 0
            }
        }
    }

    private var scratchCount: Int {
        gemmScratchCount(n: NearestNeighbors.references, k: dimension)
            + block * (NearestNeighbors.references + neighbors)
    }

    /// The neighbours of a block's queries among the rows of a part.
    private func run(
        block: Int, part: Int, into table: UnsafeMutablePointer<Int32>, scratch: UnsafeMutablePointer<Float>
    ) {
        let first = block * self.block
        let last = min(queries.count, first + self.block)
        let table = parts == 1 ? table : numbers(part)
        let scores = scratch + gemmScratchCount(n: NearestNeighbors.references, k: dimension)
        let best =
            parts == 1
            ? scores + self.block * NearestNeighbors.references : self.scores(part) + first * neighbors
        best.update(repeating: -.infinity, count: (last - first) * neighbors)
        for query in first..<last {
            // What cannot be compared, as it is not finite, has itself.
            (table + query * neighbors).update(repeating: Int32(ownRow(query) ?? 0), count: neighbors)
        }
        var start = count * part / parts
        let end = count * (part + 1) / parts
        while start < end {
            let width = min(NearestNeighbors.references, end - start)
            gemm(
                m: last - first, n: width, k: dimension, a: queries.values + first * dimension,
                rowStrideA: dimension,
                columnStrideA: 1, b: rows + start * dimension, rowStrideB: 1, columnStrideB: dimension,
                c: scores, rowStrideC: NearestNeighbors.references, accumulate: false, scratch: scratch)
            for query in first..<last {
                take(
                    scores + (query - first) * NearestNeighbors.references, of: start, width, query,
                    best: best + (query - first) * neighbors, table: table + query * neighbors)
            }
            start += width
        }
        guard parts == 1 else { return }
        for query in first..<last {
            compareVague(query, best: best + (query - first) * neighbors, table: table + query * neighbors)
        }
    }

    private func scores(_ part: Int) -> UnsafeMutablePointer<Float> {
        found.pointer + part * queries.count * neighbors
    }

    private func numbers(_ part: Int) -> UnsafeMutablePointer<Int32> {
        UnsafeMutableRawPointer(scores(parts + part)).assumingMemoryBound(to: Int32.self)
    }

    /// The neighbours of a query among those that the parts have found.
    private func join(
        _ query: Int, into table: UnsafeMutablePointer<Int32>, best: UnsafeMutablePointer<Float>
    ) {
        best.update(repeating: -.infinity, count: neighbors)
        table.update(repeating: Int32(ownRow(query) ?? 0), count: neighbors)
        for part in 0..<parts {
            let (scores, numbers) = (scores(part) + query * neighbors, numbers(part) + query * neighbors)
            for k in 0..<neighbors where scores[k] > best[neighbors - 1] {
                insert(scores[k], Int(numbers[k]), best: best, table: table)
            }
        }
        compareVague(query, best: best, table: table)
    }

    private func compareVague(
        _ query: Int, best: UnsafeMutablePointer<Float>, table: UnsafeMutablePointer<Int32>
    ) {
        if isVague(best[neighbors - 1], query) { compareExactly(query, best: best, table: table) }
    }

    private func ownRow(_ query: Int) -> Int? { queries.ownRow.map { $0 + query } }

    private func squaredLength(_ row: UnsafePointer<Float>) -> Float { dot(row, row, count: dimension) }

    /// Whether a score, that of the furthest neighbour, says too little of how near it is.
    private func isVague(_ score: Float, _ query: Int) -> Bool {
        guard score.isFinite else { return false }
        let length: Float
        let square: Float
        switch metric {
        case .distance:
            length = squaredLength(queries.values + query * dimension)
            square = max(0, length - 2 * score)
        case .cosine:
            length = 1
            square = max(0, 2 - 2 * score * scale(query))
        }
        return square < NearestNeighbors.precision * (length + square)
    }

    /// What a query is multiplied by before it is compared.
    private func scale(_ query: Int) -> Float {
        guard case .cosine = metric else { return 1 }
        let square = squaredLength(queries.values + query * dimension)
        return square > 0 ? 1 / square.squareRoot() : 0
    }

    /// Finds a query's neighbours by the differences to all rows, at several times the price of products.
    private func compareExactly(
        _ query: Int, best: UnsafeMutablePointer<Float>, table: UnsafeMutablePointer<Int32>
    ) {
        best.update(repeating: -.infinity, count: neighbors)
        let own = ownRow(query)
        table.update(repeating: Int32(own ?? 0), count: neighbors)
        let (row, scale) = (queries.values + query * dimension, scale(query))
        for other in 0..<count {
            let score = -squaredDistance(row, scale, rows + other * dimension, scales.pointer[other])
            if score > best[neighbors &- 1], other != own {
                insert(score, other, best: best, table: table)
            }
        }
    }

    /// |x a - y b|², where both scales are 1 for distances.
    private func squaredDistance(
        _ a: UnsafePointer<Float>, _ x: Float, _ b: UnsafePointer<Float>, _ y: Float
    ) -> Float {
        let (xs, ys) = (Lanes(repeating: x), Lanes(repeating: y))
        var sums = Lanes.zero
        var k = 0
        while k &+ Lanes.scalarCount <= dimension {
            let difference = a.lanes(k) * xs - b.lanes(k) * ys
            sums = fma(difference, difference, sums)
            k &+= Lanes.scalarCount
        }
        var sum = horizontalSum(sums)
        while k < dimension {
            let difference = a[k] * x - b[k] * y
            sum += difference * difference
            k &+= 1
        }
        return sum
    }

    /// Puts a neighbour before all that are further; the furthest is lost.
    private func insert(
        _ score: Float, _ row: Int, best: UnsafeMutablePointer<Float>, table: UnsafeMutablePointer<Int32>
    ) {
        var place = neighbors &- 1
        while place > 0, best[place &- 1] < score {
            best[place] = best[place &- 1]
            table[place] = table[place &- 1]
            place &-= 1
        }
        best[place] = score
        table[place] = Int32(truncatingIfNeeded: row)
    }

    /// Takes what is nearer than the furthest neighbour so far.
    private func take(
        _ products: UnsafePointer<Float>, of start: Int, _ width: Int, _ query: Int,
        best: UnsafeMutablePointer<Float>, table: UnsafeMutablePointer<Int32>
    ) {
        let (scales, offsets) = (scales.pointer + start, offsets.pointer + start)
        var worst = best[neighbors &- 1]
        var k = 0
        let own = ownRow(query)
        func compare(_ j: Int) {
            let score = products[j] * scales[j] - offsets[j]
            guard score > worst, start &+ j != own else { return }
            insert(score, start &+ j, best: best, table: table)
            worst = best[neighbors &- 1]
        }
        while k &+ Lanes.scalarCount <= width {
            let score = products.lanes(k) * scales.lanes(k) - offsets.lanes(k)
            (score .> worst).bits.forEachBit { compare(k &+ $0) }
            k &+= Lanes.scalarCount
        }
        while k < width {
            compare(k)
            k &+= 1
        }
    }
}
