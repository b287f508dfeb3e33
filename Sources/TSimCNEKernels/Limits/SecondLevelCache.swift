import CLibrary

/// Bytes of a core's second-level cache, as the system says, else 1 MiB.
///
/// Only what changes no bits may depend on it.
let secondLevelCache: Int = {
    #if canImport(Glibc)
        let size = sysconf(Int32(_SC_LEVEL2_CACHE_SIZE))
        if size > 0 { return size }
    #endif
    // On arm64 the C library does not know.
    return SystemFiles(root: "").size("/sys/devices/system/cpu/cpu0/cache/index2/size") ?? 1 << 20
}()

extension SystemFiles {
    /// Bytes that a file like "2048K" says.
    fileprivate func size(_ path: String) -> Int? {
        guard let word = words(path).first, let number = Int(word.dropLast()) else { return nil }
        return ["K": number << 10, "M": number << 20][word.suffix(1)]
    }
}
