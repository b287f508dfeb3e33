/// The images of the step that runs; the memory stays the same from step to step.
final class Batch {
    /// Positions in the data set.
    let indices: UnsafeMutablePointer<Int64>
    var count = 0
    /// Counted over all stages: the key of the views' random numbers.
    var epoch: UInt64 = 0
    /// What the caller supplied, where the data set is not in memory.
    let supplied: AlignedBuffer?

    init(capacity: Int, suppliedBytes: Int) {
        indices = .allocate(capacity: capacity)
        indices.initialize(repeating: 0, count: capacity)
        supplied = suppliedBytes > 0 ? AlignedBuffer(count: (suppliedBytes + 3) / 4) : nil
    }

    deinit { indices.deallocate() }
}
