/// The nearest of some candidates to each of a few rows that lie near one another.
///
/// Rows are taken about the mean of those few, so that products do not lose distances that are small beside the
/// rows' lengths. The candidate c is the nearer to the row a, the higher a · c - |c|² / 2. Products have a line
/// for each candidate: whether any row wants it is seen by one comparison of vectors.
public struct CandidateComparison {
    public let rows: UnsafePointer<Float>
    public let dimension: Int
    /// Neighbours that each row keeps.
    public let neighbors: Int
    /// Most rows that are compared at a time.
    public static let largestGroup = 64
    /// Candidates that they are compared with at a time.
    private static let block = 256

    /// - Parameter rows: any number × dimension.
    public init(rows: UnsafePointer<Float>, dimension: Int, neighbors: Int) {
        self.rows = rows
        self.dimension = dimension
        self.neighbors = neighbors
    }

    public var scratchCount: Int {
        let group = CandidateComparison.largestGroup
        return dimension * (1 + group + CandidateComparison.block)
            + gemmScratchCount(n: group, k: dimension) + (CandidateComparison.block + 1) * group
            + CandidateComparison.block + 2 * group * neighbors + 16
    }

    /// Writes the nearest candidates of each member to its line of `table` (neighbors a row), the nearest first and
    /// the lower number before the higher one of the same distance; where there are too few, -1 fills up.
    ///
    /// - Parameters:
    ///   - members: numbers of at most `largestGroup` rows.
    ///   - candidates: numbers of rows, none twice. No row is its own neighbour.
    public func run(
        members: UnsafeBufferPointer<Int32>, candidates: UnsafeBufferPointer<Int32>,
        into table: UnsafeMutablePointer<Int32>, scratch: UnsafeMutablePointer<Float>
    ) {
        let (group, width) = (members.count, CandidateComparison.largestGroup)
        let center = scratch
        let local = center + dimension
        let gathered = local + width * dimension
        let packed = gathered + CandidateComparison.block * dimension
        let scores = packed + gemmScratchCount(n: width, k: dimension)
        let worst = scores + CandidateComparison.block * width
        let halves = worst + width
        let best = halves + CandidateComparison.block
        let found = UnsafeMutableRawPointer(best + width * neighbors).assumingMemoryBound(to: Int32.self)

        findMean(of: members, into: center)
        for (i, member) in members.enumerated() {
            take(member, about: center, into: local + i * dimension)
        }
        packMatrix(
            rows: dimension, columns: group, source: local, rowStride: 1, columnStride: dimension,
            into: packed)
        best.update(repeating: -.infinity, count: group * neighbors)
        found.update(repeating: -1, count: group * neighbors)
        worst.update(repeating: .infinity, count: width)
        worst.update(repeating: -.infinity, count: group)
        var start = 0
        while start < candidates.count {
            let count = min(CandidateComparison.block, candidates.count &- start)
            for i in 0..<count {
                let line = gathered + i &* dimension
                take(candidates[start &+ i], about: center, into: line)
                halves[i] = dot(line, line, count: dimension) / 2
            }
            multiplyPackedMatrix(
                m: count, n: group, k: dimension, a: gathered, rowStrideA: dimension, packed: packed,
                c: scores, rowStrideC: width, accumulate: false)
            for i in 0..<count {
                offer(
                    candidates[start &+ i], scores + i &* width, less: halves[i], to: members, worst: worst,
                    best: best, found: found)
            }
            start &+= count
        }
        for (i, member) in members.enumerated() {
            (table + Int(member) * neighbors).update(from: found + i * neighbors, count: neighbors)
        }
    }

    private func findMean(of members: UnsafeBufferPointer<Int32>, into center: UnsafeMutablePointer<Float>) {
        center.update(repeating: 0, count: dimension)
        for member in members {
            add(rows + Int(member) &* dimension, to: center, count: dimension)
        }
        scale(center, by: 1 / Float(members.count), count: dimension)
    }

    private func take(
        _ row: Int32, about center: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>
    ) {
        let source = rows + Int(row) &* dimension
        var k = 0
        while k &+ Lanes.scalarCount <= dimension {
            target.store(source.lanes(k) - center.lanes(k), k)
            k &+= Lanes.scalarCount
        }
        while k < dimension {
            target[k] = source[k] - center[k]
            k &+= 1
        }
    }

    /// Gives a candidate to the members that have none, or a further one, in its place.
    @inline(__always)
    private func offer(
        _ candidate: Int32, _ products: UnsafePointer<Float>, less half: Float,
        to members: UnsafeBufferPointer<Int32>, worst: UnsafeMutablePointer<Float>,
        best: UnsafeMutablePointer<Float>, found: UnsafeMutablePointer<Int32>
    ) {
        let offset = Lanes(repeating: half)
        var first = 0
        while first < members.count {
            (products.lanes(first) - offset .>= worst.lanes(first)).bits.forEachBit { lane in
                let i = first &+ lane
                guard i < members.count, candidate != members[i] else { return }
                insert(
                    products[i] - half, candidate, best: best + i &* neighbors, found: found + i &* neighbors)
                worst[i] = best[i &* neighbors &+ neighbors &- 1]
            }
            first &+= Lanes.scalarCount
        }
    }

    /// Puts a neighbour before all that are further, or as far with a higher number; the last one is lost.
    private func insert(
        _ score: Float, _ row: Int32, best: UnsafeMutablePointer<Float>, found: UnsafeMutablePointer<Int32>
    ) {
        var place = neighbors
        while place > 0, best[place &- 1] < score || (best[place &- 1] == score && found[place &- 1] > row) {
            place &-= 1
        }
        guard place < neighbors else { return }
        var last = neighbors &- 1
        while last > place {
            best[last] = best[last &- 1]
            found[last] = found[last &- 1]
            last &-= 1
        }
        best[place] = score
        found[place] = row
    }
}
