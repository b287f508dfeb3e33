import CPlatform

/// The lock of what all threads of the process share; held for a few instructions.
///
/// A fork waits until it is free: the child would never see it released by a thread that it does not have.
public enum SharedLock {
    /// Runs `body` while no other thread runs one; must not be called within another.
    public static func withLock<Result>(_ body: () throws -> Result) rethrows -> Result {
        cplatform_lock()
        defer { cplatform_unlock() }
        return try body()
    }
}
