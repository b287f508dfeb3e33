import CPlatform

extension UnsafePointer<Float> {
    /// Asks for the line of the value at `offset`, which may lie outside.
    @inline(__always)
    func prefetch(_ offset: Int) { cplatform_prefetch(self + offset) }
}

/// The lines of a tensor that a block of work will want, asked for while the block before it computes:
/// transforms wait for memory, matrix products leave it idle.
struct Prefetch {
    let positions: Range<Int>
    /// Channels that are wanted at each position, and how many there are.
    let channels: Range<Int>
    let stride: Int

    /// Calls `body` with the offset of each line in part `part` of `parts`.
    @inline(__always)
    func forEachLine(part: Int, of parts: Int, _ body: (Int) -> Void) {
        let first = positions.lowerBound &+ positions.count &* part / parts
        let last = positions.lowerBound &+ positions.count &* (part &+ 1) / parts
        for position in first..<last {
            var channel = channels.lowerBound
            while channel < channels.upperBound {
                body(position &* stride &+ channel)
                channel &+= 16
            }
        }
    }
}
