import TSimCNEKernels

/// Halves runs of rows, so that rows of a half lie near one another: the leaves of such a tree are groups of
/// rows that are worth comparing.
///
/// A run is cut at the median along the line through two centres, which are those of a few of its rows (two
/// means). Which rows these are depends on the tree's number and the run's, and on nothing else.
public final class RowHalves {
    /// Rows of a run that its centres are found among, and how often these are moved.
    private static let sample = 64
    private static let moves = 3
    /// Rows of a slice.
    private static let block = 4096

    private let rows: UnsafePointer<Float>
    private let count: Int
    private let dimension: Int
    private let order: UnsafeMutablePointer<Int32>
    private let runs: Int
    private let tree: UInt64
    /// The direction of each run's line (runs × dimension).
    private let lines: AlignedBuffer
    private let keys: UnsafeMutablePointer<UInt64>

    /// - Parameters:
    ///   - rows: count × dimension.
    ///   - count: their number.
    ///   - dimension: numbers of a row.
    ///   - order: numbers of all rows; run i of r is from i n / r to (i + 1) n / r.
    ///   - runs: how many there are.
    ///   - tree: other trees have other halves.
    public init(
        rows: UnsafePointer<Float>, count: Int, dimension: Int, order: UnsafeMutablePointer<Int32>, runs: Int,
        tree: Int
    ) {
        self.rows = rows
        self.count = count
        self.dimension = dimension
        self.order = order
        self.runs = runs
        self.tree = UInt64(tree)
        lines = AlignedBuffer(count: runs * dimension)
        keys = .allocate(capacity: count)
    }

    deinit { keys.deallocate() }

    /// Bytes that it takes.
    public static func bytes(count: Int, dimension: Int, runs: Int) -> Int {
        4 * runs * dimension + 8 * count
    }

    /// Puts the rows of each run's lower half before those of its upper one.
    public func run(on pool: ThreadPool) {
        let program = Program()
        program.add("halves: lines", slices: runs, scratch: 3 * dimension) { [unowned self] run, scratch in
            findLine(of: run, scratch: scratch)
        }
        let blocks = (count + RowHalves.block - 1) / RowHalves.block
        program.add("halves: places", slices: blocks) { [unowned self] block, _ in
            for i in block * RowHalves.block..<min(count, (block + 1) * RowHalves.block) { place(i) }
        }
        program.add("halves: cut", slices: runs) { [unowned self] run, _ in cut(run) }
        program.run(on: pool)
    }

    private func range(_ run: Int) -> Range<Int> { run * count / runs..<(run + 1) * count / runs }

    private func findLine(of run: Int, scratch: UnsafeMutablePointer<Float>) {
        let range = range(run)
        guard range.count > 1 else { return }
        var random = RandomNumbers(seed: tree, purpose: .neighbor, index: UInt64(runs + run))
        let some = (0..<min(RowHalves.sample, range.count)).map { _ in
            row(range.lowerBound + random.integer(below: range.count))
        }
        let (a, b, line) = (scratch, scratch + dimension, lines.pointer + run * dimension)
        a.update(from: some[0], count: dimension)
        b.update(from: some[some.count / 2], count: dimension)
        for move in 0...RowHalves.moves {
            for d in 0..<dimension { line[d] = b[d] - a[d] }
            guard move < RowHalves.moves else { return }
            let middle = (dot(line, a, count: dimension) + dot(line, b, count: dimension)) / 2
            let upper = some.map { dot(line, $0, count: dimension) > middle }
            guard upper.contains(true), upper.contains(false) else { return }
            for (center, isUpper) in [(a, false), (b, true)] {
                center.update(repeating: 0, count: dimension)
                for (row, half) in zip(some, upper) where half == isUpper {
                    add(row, to: center, count: dimension)
                }
                scale(center, by: 1 / Float(upper.count { $0 == isUpper }), count: dimension)
            }
        }
    }

    private func row(_ place: Int) -> UnsafePointer<Float> { rows + Int(order[place]) * dimension }

    private func place(_ i: Int) {
        // The last run that begins at i or before.
        var run = min(runs - 1, i * runs / count)
        while run + 1 < runs, (run + 1) * count / runs <= i { run += 1 }
        let along = dot(row(i), lines.pointer + run * dimension, count: dimension)
        keys[i] = sortingKey(along, order[i])
    }

    private func cut(_ run: Int) {
        let range = range(run)
        let middle = (2 * run + 1) * count / (2 * runs)
        partition(keys + range.lowerBound, count: range.count, first: middle - range.lowerBound)
        for i in range { order[i] = Int32(bitPattern: UInt32(truncatingIfNeeded: keys[i])) }
    }
}
