/// The control groups of this process, from its own to the outermost that can be seen: a limit of any of them
/// limits the process.
///
/// Version 2 has one hierarchy of them; version 1 has one for each kind of limit. A system may have both. Where
/// they are mounted is looked up once, which groups are this process's and what they allow each time.
public struct ControlGroups: Sendable {
    private struct Hierarchy {
        /// The kinds of limits of a hierarchy of version 1; nil for version 2.
        let controllers: [String]?
        /// The group that is seen at `folder`, as a path.
        let top: String
        let folder: String
    }

    let files: SystemFiles
    private var hierarchies: [Hierarchy] = []

    /// The control groups of this system.
    public static let system = ControlGroups()

    /// - Parameter root: a folder in which all files are looked for, instead of the system's own.
    public init(root: String = "") {
        files = SystemFiles(root: root)
        let mounted = files.lines("/proc/self/mountinfo").compactMap(hierarchy)
        let folders = Set(mounted.map(\.folder))
        hierarchies = mounted + ControlGroups.usual.filter { !folders.contains($0.folder) }
    }

    /// Where they are nearly everywhere: a container may have their files there and not say that they are mounted.
    private static let usual =
        [Hierarchy(controllers: nil, top: "/", folder: "/sys/fs/cgroup")]
        + ["cpu", "memory"].map { Hierarchy(controllers: [$0], top: "/", folder: "/sys/fs/cgroup/\($0)") }

    /// The smallest quota, in cores, rounded up.
    public var cores: Int? {
        let quotas = folders(of: "cpu").compactMap { version, folder -> Double? in
            let words =
                version == 2
                ? files.words("\(folder)/cpu.max")
                : files.words("\(folder)/cpu.cfs_quota_us") + files.words("\(folder)/cpu.cfs_period_us")
            // "max 100000" and "-1 100000" are no quotas.
            guard words.count == 2, let quota = Double(words[0]), let period = Double(words[1]), quota > 0,
                period > 0
            else { return nil }
            return quota / period
        }
        return quotas.min().map { Int(min($0, 65536).rounded(.up)) }
    }

    /// The least that a limit leaves, in bytes. What is kept of files counts as free: it goes when others want it.
    public var memory: Int? {
        folders(of: "memory").compactMap { version, folder -> Int? in
            func number(_ name: String) -> Int? {
                let words = files.words("\(folder)/memory.\(name)")
                return words.count == 1 ? Int(words[0]) : nil
            }
            // "max", or in version 1 nearly 2⁶³, is no limit.
            guard let limit = number(version == 2 ? "max" : "limit_in_bytes"),
                (1..<Int.max >> 1).contains(limit)
            else { return nil }
            let usage = number(version == 2 ? "current" : "usage_in_bytes") ?? 0
            let kept = filesKept("\(folder)/memory.stat", prefix: version == 2 ? "" : "total_")
            return max(0, limit - max(0, usage - kept))
        }.min()
    }

    private func filesKept(_ path: String, prefix: String) -> Int {
        let kinds = [prefix + "active_file", prefix + "inactive_file"]
        let pairs = files.lines(path).map { parts($0, at: " ") }.filter { $0.count == 2 }
        return pairs.filter { kinds.contains(String($0[0])) }.compactMap { Int($0[1]) }.reduce(0, +)
    }

    /// The hierarchy of a line of mountinfo: … top folder options [more] - type source options.
    private func hierarchy(_ line: Substring) -> Hierarchy? {
        let fields = parts(line, at: " ")
        guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else { return nil }
        let controllers: [String]?
        switch fields[dash + 1] {
        case "cgroup": controllers = parts(fields[dash + 3], at: ",").map { String($0) }
        case "cgroup2": controllers = nil
        default: return nil
        }
        return Hierarchy(controllers: controllers, top: unescaped(fields[3]), folder: unescaped(fields[4]))
    }

    /// The groups that may have a limit of a kind: their version, and the folder of their files.
    private func folders(of controller: String) -> [(version: Int, folder: String)] {
        // Lines are number:controllers:path; version 2 has number 0 and no controllers.
        let own = files.lines("/proc/self/cgroup")
        let unified = own.first { $0.hasPrefix("0::") }?.dropFirst(3)
        let single = own.lazy.map { parts($0, at: ":", most: 3) }
            .first { $0.count == 3 && parts($0[1], at: ",").contains(controller[...]) }?[2]
        return hierarchies.flatMap { hierarchy -> [(version: Int, folder: String)] in
            let isUnified = hierarchy.controllers == nil
            guard hierarchy.controllers?.contains(controller) ?? true else { return [] }
            return groups((isUnified ? unified : single) ?? "/", below: hierarchy.top).map {
                (isUnified ? 2 : 1, hierarchy.folder + $0)
            }
        }
    }

    /// The groups from that at `path` up to that at `top`, where the hierarchy is mounted, as seen from
    /// there.
    private func groups(_ path: Substring, below top: String) -> [String] {
        let (names, start) = (parts(path, at: "/"), parts(top[...], at: "/"))
        // A group outside of what is mounted is seen as its top.
        guard names.starts(with: start), !names.contains("..") else { return [""] }
        let inner = names.dropFirst(start.count)
        return (0...inner.count).map { inner.dropLast($0).map { "/" + $0 }.joined() }
    }

    /// Spaces and some others are written as a backslash and three octal digits.
    private func unescaped(_ field: Substring) -> String {
        let pieces = field.split(separator: "\\", omittingEmptySubsequences: false)
        return pieces.dropFirst().reduce(String(pieces[0])) { text, part in
            guard let code = UInt8(part.prefix(3), radix: 8) else { return text + "\\" + part }
            return text + String(UnicodeScalar(code)) + part.dropFirst(3)
        }
    }
}
