import CTSimCNE
import Glibc
import Synchronization
import TSimCNE
import TSimCNEKernels

/// What a handle stands for.
final class Entry: @unchecked Sendable {
    enum Object {
        case model(Model)
        case trainer(Trainer, TrainerOptions)
    }

    let object: Object
    /// Names that were handed out, as C strings; freed with the entry.
    var names: [String: UnsafeMutablePointer<CChar>] = [:]
    private let busy = Atomic<Bool>(false)

    init(_ object: Object) { self.object = object }

    deinit { for name in names.values { free(name) } }

    func cString(_ name: String) -> UnsafePointer<CChar> {
        if let known = names[name] { return UnsafePointer(known) }
        let copy = strdup(name)!
        names[name] = copy
        return UnsafePointer(copy)
    }

    func begin() -> Bool {
        busy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    }

    func end() { busy.store(false, ordering: .releasing) }
}

/// What a trainer's handle keeps beside it.
struct TrainerOptions {
    let model: tsimcne_handle
    let stopAt: UInt32
    let timeSlice: UInt64
}

/// Live handles. A token is never given twice.
enum Registry {
    nonisolated(unsafe) private static var entries: [tsimcne_handle: Entry] = [:]
    nonisolated(unsafe) private static var next: tsimcne_handle = 0x7453_0001

    static func add(_ object: Entry.Object) -> tsimcne_handle {
        let entry = Entry(object)
        return SharedLock.withLock {
            let token = next
            next += 1
            entries[token] = entry
            return token
        }
    }

    static func entry(_ handle: tsimcne_handle) -> Entry? { SharedLock.withLock { entries[handle] } }

    static func remove(_ handle: tsimcne_handle) {
        // What it stands for ends after the lock is free.
        _ = SharedLock.withLock { entries.removeValue(forKey: handle) }
    }
}
