import CPlatform
import Glibc

/// Cores this process may use: its affinity, and its control group's quota rounded up.
public func usableCores() -> Int {
    var cores = Int(cplatform_affinity_count())
    if let quota = controlGroupQuota() { cores = min(cores, quota) }
    return max(1, cores)
}

private func controlGroupQuota() -> Int? {
    guard let file = fopen("/sys/fs/cgroup/cpu.max", "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 64)
    guard fgets(&line, Int32(line.count), file) != nil else { return nil }
    let text = line.prefix { $0 != 0 }.map { Character(UnicodeScalar(UInt8(bitPattern: $0))) }
    let numbers = String(text).split(whereSeparator: \.isWhitespace).map { Double($0) }
    // "max 100000" means no quota.
    guard numbers.count == 2, let quota = numbers[0], let period = numbers[1], period > 0 else { return nil }
    return Int((quota / period).rounded(.up))
}
