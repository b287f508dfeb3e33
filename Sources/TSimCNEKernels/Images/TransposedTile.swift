/// A square of as many rows as a vector has lanes, on its way to its transpose.
struct TransposedTile {
    /// The rows, one after the other; as much memory again follows them.
    let rows: UnsafeMutablePointer<Float>

    static let count = 2 * Lanes.scalarCount * Lanes.scalarCount

    /// Writes the columns as rows `stride` apart. Each pass interleaves the upper half of the rows with
    /// the lower half, which turns the digits of (row, column) by one; half of all turns exchanges them.
    @inline(__always)
    func store(_ target: UnsafeMutablePointer<Float>, stride: Int) {
        let side = Lanes.scalarCount
        var (from, to) = (rows, rows + side &* side)
        var half = side
        while half > 2 {
            TransposedTile.interleave(from, into: to, stride: side)
            (from, to) = (to, from)
            half /= 2
        }
        TransposedTile.interleave(from, into: target, stride: stride)
    }

    @inline(__always)
    private static func interleave(
        _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, stride: Int
    ) {
        let side = Lanes.scalarCount
        for i in 0..<side / 2 {
            let (a, b) = (source.lanes(i &* side), source.lanes((i &+ side / 2) &* side))
            var (low, high) = (Lanes(), Lanes())
            low.evenHalf = a.lowHalf
            low.oddHalf = b.lowHalf
            high.evenHalf = a.highHalf
            high.oddHalf = b.highHalf
            target.store(low, 2 &* i &* stride)
            target.store(high, (2 &* i &+ 1) &* stride)
        }
    }
}
