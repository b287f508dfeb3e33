import CLibrary
import TSimCNEKernels
import Testing

/// Systems of files as they are found in containers, services and jobs.
@Suite struct ControlGroupTests {
    /// Gives `body` the control groups of a system of files, in a folder that goes at the end.
    private func groups<Result>(_ files: [String: String], _ body: (ControlGroups) throws -> Result) rethrows
        -> Result
    {
        var template = Array("/tmp/tsimcne-groups-XXXXXX".utf8CString)
        let root = String(cString: mkdtemp(&template)!)
        var made = [root]
        // What lies in a folder goes before it.
        defer { for path in made.reversed() { remove(path) } }
        for (path, text) in files {
            var folder = root
            for part in path.split(separator: "/").dropLast() {
                folder += "/" + part
                if mkdir(folder, 0o755) == 0 { made.append(folder) }
            }
            let file = fopen(root + path, "w")!
            fputs(text, file)
            fclose(file)
            made.append(root + path)
        }
        return try body(ControlGroups(root: root))
    }

    private let unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"

    private func statistics(_ prefix: String, active: Int, inactive: Int) -> String {
        "\(prefix)anon 5\n\(prefix)inactive_file \(inactive)\n\(prefix)active_file \(active)\ninactive_file 7\n"
    }

    @Test func aSystemWithoutGroupsHasNoLimits() {
        groups([:]) { #expect($0.cores == nil && $0.memory == nil) }
        groups(["/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": unified]) {
            #expect($0.cores == nil && $0.memory == nil)
        }
    }

    @Test(arguments: ["", "/a.slice", "/a.slice/b\\x2dc.service", "/a.slice/b\\x2dc.service/d:e"])
    func version2CountsEveryGroupUpToTheTop(limited: String) {
        var files = [
            "/proc/self/cgroup": "0::/a.slice/b\\x2dc.service/d:e\n", "/proc/self/mountinfo": unified,
            "/sys/fs/cgroup/a.slice/cpu.max": "max 100000\n",
            "/sys/fs/cgroup/a.slice/memory.max": "max\n", "/sys/fs/cgroup/a.slice/memory.current": "12\n",
            "/sys/fs/cgroup/other/cpu.max": "1000 100000\n",
        ]
        files["/sys/fs/cgroup\(limited)/cpu.max"] = "250000 100000\n"
        files["/sys/fs/cgroup\(limited)/memory.max"] = "1000000\n"
        files["/sys/fs/cgroup\(limited)/memory.current"] = "700000\n"
        files["/sys/fs/cgroup\(limited)/memory.stat"] = "anon 3\nactive_file 50000\ninactive_file 20000\n"
        groups(files) { #expect($0.cores == 3 && $0.memory == 370_000) }
    }

    @Test func theSmallestLimitCounts() {
        let files = [
            "/proc/self/cgroup": "0::/a/b\n", "/proc/self/mountinfo": unified,
            "/sys/fs/cgroup/a/cpu.max": "150000 50000\n", "/sys/fs/cgroup/a/b/cpu.max": "400000 100000\n",
            "/sys/fs/cgroup/a/memory.max": "9000\n", "/sys/fs/cgroup/a/memory.current": "1000\n",
            "/sys/fs/cgroup/a/b/memory.max": "5000\n", "/sys/fs/cgroup/a/b/memory.current": "6000\n",
        ]
        groups(files) { #expect($0.cores == 3 && $0.memory == 0) }
    }

    /// Paths are as in a container that sees its host's, and in one that does not.
    @Test(arguments: ["/docker/0f1e", "/"])
    func version1HasAHierarchyForEachKind(top: String) {
        let files = [
            "/proc/self/cgroup": "5:memory:\(top)\n4:cpu,cpuacct:\(top)\n3:cpuset:/elsewhere\n0::/\n",
            "/proc/self/mountinfo": """
            33 31 0:30 \(top) /sys/fs/cgroup/cpu,cpuacct rw master:11 - cgroup cgroup rw,cpu,cpuacct
            35 31 0:32 \(top) /sys/fs/cgroup/memory rw master:12 - cgroup cgroup rw,memory
            36 31 0:33 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
            41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
            """,
            "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "150000\n",
            "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "1000000\n",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes": "600000\n",
            "/sys/fs/cgroup/memory/memory.stat": statistics("total_", active: 30, inactive: 400),
        ]
        groups(files) { #expect($0.cores == 2 && $0.memory == 400_430) }
    }

    @Test func version1CountsGroupsBelowTheTop() {
        let files = [
            "/proc/self/cgroup": "5:memory:/slurm/job\n4:cpu:/slurm/job/step\n",
            "/proc/self/mountinfo": """
            33 31 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
            35 31 0:32 / /sys/fs/cgroup/with\\040space rw - cgroup cgroup rw,memory
            """,
            "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "/sys/fs/cgroup/cpu/slurm/job/cpu.cfs_quota_us": "400000\n",
            "/sys/fs/cgroup/cpu/slurm/job/cpu.cfs_period_us": "100000\n",
            "/sys/fs/cgroup/with space/memory.limit_in_bytes": "9223372036854771712\n",
            "/sys/fs/cgroup/with space/memory.usage_in_bytes": "600000\n",
            "/sys/fs/cgroup/with space/slurm/job/memory.limit_in_bytes": "5000\n",
            "/sys/fs/cgroup/with space/slurm/job/memory.usage_in_bytes": "1000\n",
        ]
        groups(files) { #expect($0.cores == 4 && $0.memory == 4000) }
    }

    /// As in a sandbox that has its files in memory.
    @Test(arguments: ["", "0::/\n", "4:memory:/other\n1:cpu:/\n0::/\n"])
    func filesAtTheUsualPlacesCount(own: String) {
        groups([
            "/proc/self/cgroup": own, "/sys/fs/cgroup/cpu.max": "100000 100000\n",
            "/sys/fs/cgroup/memory.max": "5000\n", "/sys/fs/cgroup/memory.current": "2000\n",
        ]) { #expect($0.cores == 1 && $0.memory == 3000) }
        groups([
            "/proc/self/cgroup": own, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000\n",
            "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "7000\n",
        ]) { #expect($0.cores == 2 && $0.memory == 7000) }
    }

    @Test func aGroupOutsideOfWhatIsMountedIsSeenAsTheTop() {
        for path in ["/../..", "/elsewhere"] {
            let files = [
                "/proc/self/cgroup": "0::\(path)\n",
                "/proc/self/mountinfo": "30 23 0:26 /here /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
                "/sys/fs/cgroup/cpu.max": "100000 100000\n",
            ]
            groups(files) { #expect($0.cores == 1) }
        }
    }

    @Test(arguments: ["", "0", "0 0", "x y", "-5 100000", "100000 0", "1 2 3", "nan nan"])
    func whatIsNoQuotaIsNone(text: String) {
        let files = [
            "/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": unified + "damaged\n30 - cgroup2\n",
            "/sys/fs/cgroup/cpu.max": text, "/sys/fs/cgroup/memory.max": text,
        ]
        groups(files) { #expect($0.cores == nil && $0.memory == nil) }
    }

    @Test func theSystemsOwnMemoryCountsToo() {
        let meminfo = "MemTotal:  9000 kB\nMemFree: 1 kB\nMemAvailable:    300 kB\n"
        groups(["/proc/meminfo": meminfo]) { #expect(availableMemory($0) == 300 << 10) }
        let files = [
            "/proc/meminfo": meminfo, "/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": unified,
            "/sys/fs/cgroup/memory.max": "5000\n", "/sys/fs/cgroup/memory.current": "1000\n",
        ]
        groups(files) { #expect(availableMemory($0) == 4000) }
        #expect((1...(1 << 50)).contains(availableMemory()))
    }
}
