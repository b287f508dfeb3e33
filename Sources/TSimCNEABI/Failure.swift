import CTSimCNE
import Glibc
import TSimCNE

/// An error on its way to a status and a message.
struct Failure: Error {
    let status: Int32
    let message: String

    static func argument(_ message: String) -> Failure {
        Failure(status: Int32(TSIMCNE_ERROR_ARGUMENT), message: message)
    }
    static func state(_ message: String) -> Failure {
        Failure(status: Int32(TSIMCNE_ERROR_STATE), message: message)
    }
}

/// The last message of each thread, in memory that goes with the thread.
enum LastError {
    private static let capacity = 512
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { free($0) }
        return key
    }()

    static func set(_ message: String) {
        guard let memory = memory() else { return }
        var bytes = Array(message.utf8.prefix(capacity - 1))
        bytes.append(0)
        bytes.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    }

    static var pointer: UnsafePointer<CChar> {
        guard let memory = memory() else { return empty }
        return UnsafePointer(memory.assumingMemoryBound(to: CChar.self))
    }

    private static func memory() -> UnsafeMutableRawPointer? {
        if let known = pthread_getspecific(key) { return known }
        guard let made = calloc(1, capacity) else { return nil }
        pthread_setspecific(key, made)
        return made
    }

    nonisolated(unsafe) private static let empty: UnsafePointer<CChar> = {
        let memory = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        memory.pointee = 0
        return UnsafePointer(memory)
    }()
}

/// Runs the body of an ABI function and maps its errors.
func status(_ body: () throws -> Void) -> Int32 {
    do {
        try body()
        return Int32(TSIMCNE_OK)
    } catch let failure as Failure {
        LastError.set(failure.message)
        return failure.status
    } catch {
        LastError.set("unexpected error: \(error)")
        return Int32(TSIMCNE_ERROR_STATE)
    }
}

/// Runs `body` while no other thread may use the handle.
func using<Result>(_ handle: tsimcne_handle, _ body: (Entry) throws -> Result) throws -> Result {
    guard let entry = Registry.entry(handle) else {
        throw Failure(
            status: Int32(TSIMCNE_ERROR_HANDLE), message: "handle: \(handle) is not a live model or trainer")
    }
    guard entry.begin() else {
        throw Failure(
            status: Int32(TSIMCNE_ERROR_BUSY), message: "handle: another thread is using \(handle)")
    }
    defer { entry.end() }
    return try body(entry)
}

func usingModel<Result>(_ handle: tsimcne_handle, _ body: (Model) throws -> Result) throws -> Result {
    try using(handle) { entry in
        guard case .model(let model) = entry.object else {
            throw Failure(
                status: Int32(TSIMCNE_ERROR_HANDLE), message: "handle: \(handle) is a trainer, not a model")
        }
        return try body(model)
    }
}

/// A trainer and its model are used together.
func usingTrainer<Result>(
    _ handle: tsimcne_handle, _ body: (Trainer, TrainerOptions, Entry) throws -> Result
) throws -> Result {
    try using(handle) { entry in
        guard case .trainer(let trainer, let options) = entry.object else {
            throw Failure(
                status: Int32(TSIMCNE_ERROR_HANDLE), message: "handle: \(handle) is a model, not a trainer")
        }
        return try using(options.model) { _ in try body(trainer, options, entry) }
    }
}
