/// The images of the step that runs; the memory stays the same from step to step.
final class Batch {
    /// Positions in the data set: of `count` images and, if there are any, of their first partners, their second …
    let indices: UnsafeMutablePointer<Int64>
    let capacity: Int
    var count = 0
    /// Partners of an image: its first view is its own, every other one is of a partner; 0 where all are its
    /// own.
    var partners = 0
    /// The epoch's number, counted over all stages: the key of the views' random numbers.
    var epoch: UInt64 = 0
    /// What the caller supplied, where the data set is not in memory.
    let supplied: AlignedBuffer?

    /// - Parameter capacity: the number of images and partners.
    init(capacity: Int, suppliedBytesPerImage: Int) {
        self.capacity = capacity
        indices = .allocate(capacity: capacity)
        indices.initialize(repeating: 0, count: capacity)
        let bytes = suppliedBytesPerImage * capacity
        supplied = bytes > 0 ? AlignedBuffer(count: (bytes + 3) / 4) : nil
    }

    deinit { indices.deallocate() }

    var indexCount: Int { (1 + partners) * count }

    /// The place, among the indices, of what view 0, 1, … of the batch's image `i` is made of.
    func place(ofView view: Int, _ i: Int) -> Int { min(view, partners) * count + i }
}
