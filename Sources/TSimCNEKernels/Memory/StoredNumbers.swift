import CPlatform

/// How the numbers of a tensor lie in memory; offsets are in numbers.
protocol StoredNumbers {
    /// The vector that starts at an offset; no alignment is assumed.
    static func lanes(_ values: UnsafePointer<Float>, _ offset: Int) -> Lanes
    /// What is read of a value after it was stored.
    static func rounded(_ value: Lanes) -> Lanes
    /// Stores a value that is ``rounded(_:)``.
    static func store(_ value: Lanes, _ target: UnsafeMutablePointer<Float>, _ offset: Int)
    /// Asks for the line of an offset.
    static func prefetch(_ values: UnsafePointer<Float>, _ offset: Int)
}

/// 32 bits each.
enum StoredSingle: StoredNumbers {
    @inline(__always)
    static func lanes(_ values: UnsafePointer<Float>, _ offset: Int) -> Lanes { values.lanes(offset) }
    @inline(__always)
    static func rounded(_ value: Lanes) -> Lanes { value }
    @inline(__always)
    static func store(_ value: Lanes, _ target: UnsafeMutablePointer<Float>, _ offset: Int) {
        target.store(value, offset)
    }
    @inline(__always)
    static func prefetch(_ values: UnsafePointer<Float>, _ offset: Int) { values.prefetch(offset) }
}

/// 16 bits each: bfloat16, the upper half of a float.
enum StoredBFloat16: StoredNumbers {
    @inline(__always)
    static func lanes(_ values: UnsafePointer<Float>, _ offset: Int) -> Lanes {
        var value = Lanes.zero
        cplatform_load_upper_halves(&value, UnsafeRawPointer(values) + 2 &* offset)
        return value
    }
    @inline(__always)
    static func rounded(_ value: Lanes) -> Lanes {
        var result = Lanes.zero
        cplatform_round_to_upper_half(&result, value)
        return result
    }
    @inline(__always)
    static func store(_ value: Lanes, _ target: UnsafeMutablePointer<Float>, _ offset: Int) {
        cplatform_store_upper_halves(UnsafeMutableRawPointer(target) + 2 &* offset, value)
    }
    @inline(__always)
    static func prefetch(_ values: UnsafePointer<Float>, _ offset: Int) {
        cplatform_prefetch(UnsafeRawPointer(values) + 2 &* offset)
    }
}
