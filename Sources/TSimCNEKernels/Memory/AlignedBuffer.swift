import CLibrary
import Synchronization

/// Zeroed float32 memory, aligned to a cache line, freed with its owner.
///
/// ``slack`` floats behind the end may be read (never written): kernels load whole vectors there and
/// drop what they read.
public final class AlignedBuffer: @unchecked Sendable {
    public let pointer: UnsafeMutablePointer<Float>
    public let count: Int

    /// Bytes ever asked for by this process: a test holds it constant from one training step to the next.
    public static var allocatedBytes: Int { allocated.load(ordering: .relaxed) }
    private static let allocated = Atomic<Int>(0)

    /// Readable floats behind the end: the widest panel of a register tile.
    public static let slack = 64

    public init(count: Int) {
        self.count = count
        #if GUARD_PAGES
            pointer = GuardedMemory.take(count)
            AlignedBuffer.allocated.add(count * MemoryLayout<Float>.stride, ordering: .relaxed)
        #else
            pointer = AlignedBuffer.take(count)
        #endif
    }

    deinit {
        #if GUARD_PAGES
            GuardedMemory.giveBack(pointer, count)
        #else
            free(pointer)
        #endif
    }

    private static func take(_ count: Int) -> UnsafeMutablePointer<Float> {
        let bytes = ((count + AlignedBuffer.slack) * MemoryLayout<Float>.stride + 63) & ~63
        var raw: UnsafeMutableRawPointer?
        // Large buffers begin on a huge page, so that Linux can back them with such.
        let alignment = bytes >= 4 << 20 ? 2 << 20 : 64
        guard posix_memalign(&raw, alignment, bytes) == 0, let raw else {
            // Sizes were estimated and granted before training began; see Trainer.
            fatalError("out of memory: \(bytes) bytes")
        }
        #if os(Linux)
            if alignment > 64 { madvise(raw, bytes, MADV_HUGEPAGE) }
        #endif
        memset(raw, 0, bytes)
        AlignedBuffer.allocated.add(bytes, ordering: .relaxed)
        return raw.bindMemory(to: Float.self, capacity: count)
    }
}
