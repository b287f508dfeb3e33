#if GUARD_PAGES
    import CLibrary

    /// The memory of ``AlignedBuffer`` in builds that look for what is read or written outside of it
    /// (`tools/sanitize.sh guard`).
    ///
    /// The slack that may be read ends at a page that may not, and another one lies before the buffer. All that is
    /// not the buffer's own is NaN: what is read there and not dropped shows in results, and what was written there
    /// ends the process when the buffer is freed.
    enum GuardedMemory {
        private static let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        private static let float = MemoryLayout<Float>.stride
        /// A pattern that no operation makes.
        private static let mark: UInt32 = 0x7fc1_2345

        /// Memory of zeros.
        static func take(_ count: Int) -> UnsafeMutablePointer<Float> {
            let (inner, before) = extent(count)
            let start = mmap(nil, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
            guard start != MAP_FAILED, mprotect(start + page, inner, PROT_READ | PROT_WRITE) == 0 else {
                fatalError("out of memory: \(inner) bytes")
            }
            let pointer = (start + page + before).bindMemory(to: Float.self, capacity: count)
            forEachOutside(pointer, count) { $0.pointee = Float(bitPattern: mark) }
            return pointer
        }

        static func giveBack(_ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
            forEachOutside(pointer, count) { place in
                guard place.pointee.bitPattern == mark else {
                    fatalError("\(place - pointer) was written, of a buffer of \(count) floats")
                }
            }
            let (inner, before) = extent(count)
            munmap(UnsafeMutableRawPointer(pointer) - before - page, inner + 2 * page)
        }

        /// Bytes between the pages that may not be touched, and those of them before the buffer.
        private static func extent(_ count: Int) -> (inner: Int, before: Int) {
            // The size is rounded up to a cache line, as kernels expect it.
            let own = ((count + AlignedBuffer.slack) * float + 63) & ~63
            let inner = (own + page - 1) / page * page
            return (inner, inner - own)
        }

        private static func forEachOutside(
            _ pointer: UnsafeMutablePointer<Float>, _ count: Int,
            _ body: (UnsafeMutablePointer<Float>) -> Void
        ) {
            let (inner, before) = extent(count)
            for i in 0..<before / float { body(pointer - before / float + i) }
            for i in count..<(inner - before) / float { body(pointer + i) }
        }
    }
#endif
