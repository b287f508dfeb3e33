import CLibrary
import CTSimCNE
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
    /// Bytes of a message, with the zero at its end.
    private static let capacity = 512
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { free($0) }
        return key
    }()

    static func set(_ message: String) {
        guard let memory = memory() else { return }
        let bytes = Array(message.utf8)
        // A message is never cut between the bytes of a character, which in UTF-8 begin with 10 except for
        // the first.
        var count = min(bytes.count, capacity - 1)
        while count < bytes.count, bytes[count] & 0xC0 == 0x80 { count -= 1 }
        memory.copyMemory(from: bytes, byteCount: count)
        memory.storeBytes(of: 0, toByteOffset: count, as: UInt8.self)
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
func using<Result>(
    _ handle: tsimcne_handle, _ use: Entry.Use, _ body: (Entry) throws -> Result
) throws -> Result {
    let entry = try Registry.begin(handle, use)
    defer { Registry.end(entry) }
    return try body(entry)
}

func usingModel<Result>(
    _ handle: tsimcne_handle, _ use: Entry.Use, _ body: (Model) throws -> Result
) throws -> Result {
    try using(handle, use) { entry in try body(entry.object.model(handle)) }
}

/// A trainer and its model are used together.
func usingTrainer<Result>(
    _ handle: tsimcne_handle, _ use: Entry.Use, _ body: (Trainer, TrainerOptions, Entry) throws -> Result
) throws -> Result {
    try using(handle, use) { entry in
        let (trainer, options) = try entry.object.trainer(handle)
        return try using(options.model, use) { _ in try body(trainer, options, entry) }
    }
}

extension Entry.Object {
    func model(_ handle: tsimcne_handle) throws -> Model {
        guard case .model(let model) = self else {
            throw Failure(
                status: Int32(TSIMCNE_ERROR_HANDLE), message: "handle: \(handle) is a trainer, not a model")
        }
        return model
    }

    func trainer(_ handle: tsimcne_handle) throws -> (Trainer, TrainerOptions) {
        guard case .trainer(let trainer, let options) = self else {
            throw Failure(
                status: Int32(TSIMCNE_ERROR_HANDLE), message: "handle: \(handle) is a model, not a trainer")
        }
        return (trainer, options)
    }
}
