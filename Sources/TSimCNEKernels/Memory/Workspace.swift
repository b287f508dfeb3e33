/// The memory of a network's activations, lent to one program at a time.
///
/// Buffers are lent and returned while a program is *written*, so that a buffer returned early serves
/// again later in the same program, and a program for a smaller batch uses what a larger one left.
public final class Workspace {
    private var free: [AlignedBuffer] = []
    private var lent: [ObjectIdentifier: AlignedBuffer] = [:]

    public init() {}

    /// A tensor in borrowed memory with undefined contents.
    public func tensor(_ shape: Shape) -> Tensor {
        let count = shape.count
        let buffer: AlignedBuffer
        // The smallest that is large enough, the oldest among equals: the same in every run. Little
        // tensors must not take the memory that a large one will want.
        let fitting = count...2 * count + 4096
        if let index = free.indices.filter({ fitting.contains(free[$0].count) })
            .min(by: { free[$0].count < free[$1].count })
        {
            buffer = free.remove(at: index)
        } else {
            buffer = AlignedBuffer(count: count)
        }
        lent[ObjectIdentifier(buffer)] = buffer
        return Tensor(shape, buffer)
    }

    /// Lends the tensor's memory to others from this point of the program on.
    public func release(_ tensor: Tensor) {
        if let buffer = lent.removeValue(forKey: ObjectIdentifier(tensor.buffer)) {
            free.append(buffer)
        }
    }

    /// Takes everything back: the program that borrowed it will not run again.
    public func reset() {
        free += lent.values.sorted { UInt(bitPattern: $0.pointer) < UInt(bitPattern: $1.pointer) }
        lent = [:]
    }
}
