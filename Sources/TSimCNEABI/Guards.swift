import CPlatform
import CTSimCNE
import TSimCNEKernels

/// Live guards. Nothing that is done with one takes long: they need no marks of being busy.
private enum Guards {
    nonisolated(unsafe) static var live: [tsimcne_handle: OpaquePointer] = [:]
    // The next token, apart from those of models and trainers.
    nonisolated(unsafe) static var next: tsimcne_handle = 1 << 48 | 0x7453_0001

    static func unknown(_ handle: tsimcne_handle) -> Failure {
        Failure(status: Int32(TSIMCNE_ERROR_HANDLE), message: "guard: \(handle) is not a live guard")
    }
}

@_cdecl("tsimcne_guard_create")
public func tsimcne_guard_create(
    _ data: UnsafeRawPointer?, _ bytes: Int64, _ handle: UnsafeMutablePointer<tsimcne_handle>?
) -> Int32 {
    status {
        let data = try required(data, "data")
        let target = try required(handle, "guard")
        try check(bytes, in: 1...Int64(1) << 47, "bytes")
        guard let made = cplatform_guard_begin(data, Int(bytes)) else {
            throw Failure(
                status: Int32(TSIMCNE_ERROR_MEMORY), message: "guard: there is no memory for another one")
        }
        target.pointee = SharedLock.withLock {
            let token = Guards.next
            Guards.next += 1
            Guards.live[token] = made
            return token
        }
    }
}

@_cdecl("tsimcne_guard_faults")
public func tsimcne_guard_faults(_ handle: tsimcne_handle, _ faults: UnsafeMutablePointer<Int64>?) -> Int32 {
    status {
        let target = try required(faults, "faults")
        let count = SharedLock.withLock { Guards.live[handle].map(cplatform_guard_faults) }
        guard let count else { throw Guards.unknown(handle) }
        target.pointee = Int64(count)
    }
}

@_cdecl("tsimcne_guard_destroy")
public func tsimcne_guard_destroy(_ handle: tsimcne_handle) -> Int32 {
    status {
        guard let ended = SharedLock.withLock({ Guards.live.removeValue(forKey: handle) }) else {
            throw Guards.unknown(handle)
        }
        cplatform_guard_end(ended)
    }
}
