import CPlatform

// Comparisons and choices of Swift's library, each as one instruction: `Lanes` finds these first. With
// NaN they say what those say.

typealias LanesMask = SIMDMask<Lanes.MaskStorage>

extension LanesMask {
    /// A bit for each lane, the first one lowest.
    @inline(__always)
    var bits: UInt32 { cplatform_mask_bits(unsafeBitCast(self, to: Lanes.MaskStorage.self)) }
}

extension FixedWidthInteger {
    /// Calls `body` with the index of each bit that is set, the lowest first.
    @inline(__always)
    func forEachBit(_ body: (Int) -> Void) {
        var rest = self
        while rest != 0 {
            body(rest.trailingZeroBitCount)
            rest &= rest &- 1
        }
    }
}

extension Lanes {
    @inline(__always)
    static func .< (a: Lanes, b: Lanes) -> LanesMask { mask { cplatform_less(&$0, a, b) } }
    @inline(__always)
    static func .<= (a: Lanes, b: Lanes) -> LanesMask { mask { cplatform_less_or_equal(&$0, a, b) } }
    @inline(__always)
    static func .> (a: Lanes, b: Lanes) -> LanesMask { b .< a }
    @inline(__always)
    static func .>= (a: Lanes, b: Lanes) -> LanesMask { b .<= a }
    @inline(__always)
    static func .== (a: Lanes, b: Lanes) -> LanesMask { mask { cplatform_equal(&$0, a, b) } }
    @inline(__always)
    static func .!= (a: Lanes, b: Lanes) -> LanesMask { mask { cplatform_not_equal(&$0, a, b) } }

    @inline(__always)
    static func .< (a: Lanes, b: Float) -> LanesMask { a .< Lanes(repeating: b) }
    @inline(__always)
    static func .<= (a: Lanes, b: Float) -> LanesMask { a .<= Lanes(repeating: b) }
    @inline(__always)
    static func .> (a: Lanes, b: Float) -> LanesMask { a .> Lanes(repeating: b) }
    @inline(__always)
    static func .>= (a: Lanes, b: Float) -> LanesMask { a .>= Lanes(repeating: b) }
    @inline(__always)
    static func .== (a: Lanes, b: Float) -> LanesMask { a .== Lanes(repeating: b) }

    @inline(__always)
    mutating func replace(with other: Lanes, where mask: LanesMask) {
        cplatform_replace(&self, unsafeBitCast(mask, to: MaskStorage.self), other)
    }
    @inline(__always)
    mutating func replace(with other: Float, where mask: LanesMask) {
        replace(with: Lanes(repeating: other), where: mask)
    }
    @inline(__always)
    func replacing(with other: Lanes, where mask: LanesMask) -> Lanes {
        var result = self
        result.replace(with: other, where: mask)
        return result
    }
    @inline(__always)
    func replacing(with other: Float, where mask: LanesMask) -> Lanes {
        replacing(with: Lanes(repeating: other), where: mask)
    }

    /// A mask is its storage: only Booleans make one otherwise.
    @inline(__always)
    private static func mask(_ body: (inout MaskStorage) -> Void) -> LanesMask {
        var storage = MaskStorage()
        body(&storage)
        return unsafeBitCast(storage, to: LanesMask.self)
    }
}
