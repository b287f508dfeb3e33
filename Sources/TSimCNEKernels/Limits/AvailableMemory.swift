import CLibrary

/// Bytes that this process may still take: what the system says is available, and what its control groups leave
/// of their limits. Swap does not count.
public func availableMemory(_ groups: ControlGroups = .system) -> Int {
    // MemAvailable:   21642572 kB
    let line = groups.files.lines("/proc/meminfo").first { $0.hasPrefix("MemAvailable:") }
    let kilobytes = line.flatMap { Int(parts($0, at: " ")[1]) }
    return min(kilobytes.map { $0 << 10 } ?? memoryOfTheMachine, groups.memory ?? .max)
}

/// For macOS, which does not say in one number what of it is free.
private var memoryOfTheMachine: Int {
    #if canImport(Darwin)
        var (bytes, size) = (UInt64(0), MemoryLayout<UInt64>.size)
        return sysctlbyname("hw.memsize", &bytes, &size, nil, 0) == 0 ? Int(bytes) : .max
    #else
        return .max
    #endif
}
