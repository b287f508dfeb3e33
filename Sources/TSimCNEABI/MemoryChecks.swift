import CLibrary
import CTSimCNE
import TSimCNEKernels

/// Whether so many bytes could be had now; asked before large buffers are made.
///
/// - Parameter addresses: bytes of address space that others will want meanwhile, hardly any of them touched.
func checkMemory(_ bytes: Int, _ what: String, addresses: Int = 0) throws {
    if bytes == 0 { return }
    func refusal(_ rest: String) -> Failure {
        Failure(
            status: Int32(TSIMCNE_ERROR_MEMORY), message: "\(what) needs about \(mebibytes(bytes)), \(rest)")
    }
    // To ask takes as long as to map some vectors, which want next to nothing.
    if bytes >= 1 << 24, let left = ControlGroups.system.memory, left < bytes {
        throw refusal("but the control group of this process leaves \(mebibytes(left))")
    }
    guard let memory = reserve(bytes) else { throw refusal("more than can be had") }
    defer { munmap(memory, bytes) }
    if addresses == 0 { return }
    // The system would count address space as memory, all at once, if it were not told that it is none.
    guard let space = reserve(addresses, MAP_NORESERVE) else {
        throw refusal("and \(mebibytes(addresses)) of address space beside it, more than can be had")
    }
    munmap(space, addresses)
}

private func reserve(_ bytes: Int, _ flags: Int32 = 0) -> UnsafeMutableRawPointer? {
    let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0)
    return memory == MAP_FAILED ? nil : memory
}

/// The size in mebibytes, rounded up.
private func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20 + (bytes & (1 << 20 - 1) == 0 ? 0 : 1)) MiB" }
