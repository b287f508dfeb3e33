import CLibrary
import CPlatform
import CTSimCNE
import TSimCNE
import TSimCNEKernels

/// What a handle stands for.
final class Entry: @unchecked Sendable {
    enum Object {
        case model(Model)
        case trainer(Trainer, TrainerOptions)
    }

    /// What a call does to the object.
    enum Use { case reads, changes }

    let object: Object
    /// Names that were handed out, as C strings; freed with the entry.
    private var names: [String: UnsafeMutablePointer<CChar>] = [:]
    /// The call that runs, and the process it runs in, as ``cplatform_fork_generation()`` counts them.
    fileprivate var call: (use: Use, process: UInt64)?
    /// The use of a call whose thread a fork has left behind.
    fileprivate var lostUse: Use? {
        guard let call, call.process != cplatform_fork_generation() else { return nil }
        return call.use
    }

    init(_ object: Object) { self.object = object }

    deinit { for name in names.values { free(name) } }

    func cString(_ name: String) -> UnsafePointer<CChar> {
        if let known = names[name] { return UnsafePointer(known) }
        let copy = strdup(name)!
        names[name] = copy
        return UnsafePointer(copy)
    }
}

/// What a trainer's handle keeps beside it.
struct TrainerOptions {
    let model: tsimcne_handle
    let stopAt: UInt32
    let timeSlice: UInt64
}

/// Live handles. A token is never given twice.
///
/// A handle is looked up and taken in one: a call that comes after another thread's destroy does not find it, and
/// one that came before lets that thread wait. A forked process lacks the threads whose calls ran: what they read
/// only is whole there and is given out anew; what they changed may be half done, and can only be destroyed.
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

    /// Lets no other call use the handle until ``end(_:)``.
    static func begin(_ handle: tsimcne_handle, _ use: Entry.Use) throws -> Entry {
        try SharedLock.withLock {
            var entry = try find(handle)
            if let lost = entry.lostUse {
                guard lost == .reads else {
                    throw Failure.state(
                        "handle: another thread was changing \(handle) when this process was forked; destroy it"
                    )
                }
                if case .model(let model) = entry.object { model.forgetWorkspace() }
                leave(entry)
                entry = Entry(entry.object)
                entries[handle] = entry
            }
            entry.call = (use, cplatform_fork_generation())
            return entry
        }
    }

    static func end(_ entry: Entry) { SharedLock.withLock { entry.call = nil } }

    /// Ends what a handle stands for, unless `check` throws.
    static func destroy(_ handle: tsimcne_handle, check: (Entry.Object) throws -> Void) throws {
        // Its memory is freed when this is left, where the lock is free again.
        _ = try SharedLock.withLock {
            let entry = try find(handle)
            try check(entry.object)
            if entry.lostUse != nil { leave(entry) }
            return entries.removeValue(forKey: handle)
        }
    }

    /// The entry of a handle that no call of this process uses.
    private static func find(_ handle: tsimcne_handle) throws -> Entry {
        guard let entry = entries[handle] else {
            throw Failure(
                status: Int32(TSIMCNE_ERROR_HANDLE),
                message: "handle: \(handle) is not a live model or trainer")
        }
        guard entry.call == nil || entry.lostUse != nil else {
            throw Failure(
                status: Int32(TSIMCNE_ERROR_BUSY), message: "handle: another thread is using \(handle)")
        }
        return entry
    }

    /// Never frees an entry, in the middle of whose use the process was forked.
    private static func leave(_ entry: Entry) { _ = Unmanaged.passRetained(entry) }
}
