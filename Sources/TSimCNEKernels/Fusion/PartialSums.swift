/// Sums per channel that the slices of a loop make, each in rows of its own, to be added in their order.
public struct PartialSums: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>
    let rows: Int
    let channels: Int

    /// Channels filled up to whole vectors of any level: a block of channels is stored as one.
    private var stride: Int { (channels + 15) / 16 * 16 }

    /// Floats that `slices` slices of `rows` rows want.
    public static func count(slices: Int, rows: Int, channels: Int) -> Int {
        slices * rows * ((channels + 15) / 16 * 16)
    }

    public init(_ pointer: UnsafeMutablePointer<Float>, rows: Int, channels: Int) {
        self.pointer = pointer
        self.rows = rows
        self.channels = channels
    }

    @inline(__always) func ofSlice(_ slice: Int) -> PartialSums {
        PartialSums(pointer + slice &* rows &* stride, rows: rows, channels: channels)
    }

    @inline(__always) func lanes(_ row: Int, _ channel: Int) -> Lanes {
        pointer.lanes(row &* stride &+ channel)
    }

    @inline(__always) func store(_ value: Lanes, _ row: Int, _ channel: Int) {
        pointer.store(value, row &* stride &+ channel)
    }

    /// Value of a slice's row.
    public func value(slice: Int, row: Int, channel: Int) -> Double {
        Double(pointer[(slice * rows + row) * stride + channel])
    }
}
