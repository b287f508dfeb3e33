/// Rows that know some neighbours, and find nearer ones among the neighbours of these (Dong, Moses and Li, WWW
/// 2011), all at the same time.
///
/// Rows are in groups that lie near one another. A group gathers the candidates of all its rows, and each row is
/// compared with all of these. What is found goes into another table than what is known, so that groups can be
/// worked on in any order.
public struct NeighborGraph {
    /// Numbers of all rows, a group's side by side.
    public let order: UnsafePointer<Int32>
    public let count: Int
    public let groups: Int
    /// Runs of groups whose rows are candidates of one another; 0 for none but the groups'.
    public let blocks: Int
    /// Neighbours that are known (count × neighbors), -1 for none.
    public let table: UnsafePointer<Int32>
    /// Some of those that have a row among their neighbours (count × reverseCount), -1 for none; nil where only
    /// what is known and blocks are compared.
    public let reverse: UnsafePointer<Int32>?
    public let reverseCount: Int
    private let comparison: CandidateComparison

    public init(
        comparison: CandidateComparison, count: Int, order: UnsafePointer<Int32>, groups: Int, blocks: Int,
        table: UnsafePointer<Int32>, reverse: UnsafePointer<Int32>?, reverseCount: Int
    ) {
        self.comparison = comparison
        self.count = count
        self.order = order
        self.groups = groups
        self.blocks = blocks
        self.table = table
        self.reverse = reverse
        self.reverseCount = reverseCount
    }

    /// The rows of a group or block, of so many.
    private func run(_ index: Int, of runs: Int) -> UnsafeBufferPointer<Int32> {
        let (first, last) = (index * count / runs, (index + 1) * count / runs)
        return UnsafeBufferPointer(start: order + first, count: last - first)
    }

    /// Most candidates of a group.
    private var mostCandidates: Int {
        let links = 1 + comparison.neighbors + reverseCount
        let near = CandidateComparison.largestGroup * links + (blocks > 0 ? count / blocks + 1 : 0)
        return min(count, reverse == nil ? near : near * links)
    }

    private var markCount: Int { (count + 31) / 32 }

    public var scratchCount: Int {
        comparison.scratchCount + markCount + mostCandidates
    }

    /// Finds the neighbours of a group's rows and writes them to their lines of `target`.
    public func refine(
        group: Int, into target: UnsafeMutablePointer<Int32>, scratch: UnsafeMutablePointer<Float>
    ) {
        let members = run(group, of: groups)
        let memory = UnsafeMutableRawPointer(scratch + comparison.scratchCount)
        let marks = memory.assumingMemoryBound(to: UInt32.self)
        let list = (memory + 4 * markCount).assumingMemoryBound(to: Int32.self)
        marks.update(repeating: 0, count: markCount)
        var candidates = CandidateList(marks: marks, list: list, limit: count)
        for member in members { candidates.add(member) }
        if blocks > 0 {
            for row in run(group * blocks / groups, of: blocks) { candidates.add(row) }
        }
        for member in members { addLinked(to: member, &candidates) }
        if reverse != nil {
            // Those that are in the list by now are a step away; theirs are two.
            let near = candidates.count
            for i in 0..<near { addLinked(to: list[i], &candidates) }
        }
        comparison.run(
            members: members, candidates: UnsafeBufferPointer(start: list, count: candidates.count),
            into: target, scratch: scratch)
    }

    @inline(__always)
    private func addLinked(to row: Int32, _ candidates: inout CandidateList) {
        let known = table + Int(row) &* comparison.neighbors
        for k in 0..<comparison.neighbors { candidates.add(known[k]) }
        guard let reverse else { return }
        let others = reverse + Int(row) &* reverseCount
        for k in 0..<reverseCount { candidates.add(others[k]) }
    }

    /// Writes for each row some of those that have it among their neighbours (count × most), -1 for none: those
    /// that are nearest to it by their rank first, then by their number.
    public static func reverse(
        _ table: UnsafePointer<Int32>, count: Int, neighbors: Int, into others: UnsafeMutablePointer<Int32>,
        most: Int
    ) {
        others.update(repeating: -1, count: count * most)
        let filled = UnsafeMutablePointer<Int32>.allocate(capacity: count)
        defer { filled.deallocate() }
        filled.update(repeating: 0, count: count)
        for rank in 0..<neighbors {
            for row in 0..<count {
                let other = Int(table[row &* neighbors &+ rank])
                guard (0..<count).contains(other), filled[other] < Int32(truncatingIfNeeded: most) else {
                    continue
                }
                others[other &* most &+ Int(filled[other])] = Int32(truncatingIfNeeded: row)
                filled[other] &+= 1
            }
        }
    }
}

/// Numbers of rows, none twice, in the order in which they came.
private struct CandidateList {
    let marks: UnsafeMutablePointer<UInt32>
    let list: UnsafeMutablePointer<Int32>
    let limit: UInt32
    var count = 0

    init(marks: UnsafeMutablePointer<UInt32>, list: UnsafeMutablePointer<Int32>, limit: Int) {
        self.marks = marks
        self.list = list
        self.limit = UInt32(truncatingIfNeeded: limit)
    }

    @inline(__always)
    mutating func add(_ row: Int32) {
        // The caller's tables may hold anything: what is no row's number is none.
        guard UInt32(bitPattern: row) < limit else { return }
        let (word, bit) = (Int(row) >> 5, UInt32(1) << UInt32(row & 31))
        guard marks[word] & bit == 0 else { return }
        marks[word] |= bit
        list[count] = row
        count &+= 1
    }
}
