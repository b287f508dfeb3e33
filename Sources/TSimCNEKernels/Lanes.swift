import CPlatform

/// One hardware vector of the instruction-set level this module is compiled for.
#if LEVEL_V4
    public typealias Lanes = SIMD16<Float>
    typealias ByteLanes = SIMD16<UInt8>
#elseif LEVEL_V3
    public typealias Lanes = SIMD8<Float>
    typealias ByteLanes = SIMD8<UInt8>
#else
    public typealias Lanes = SIMD4<Float>
    typealias ByteLanes = SIMD4<UInt8>
#endif

/// The level's name, as the loader and `tsimcne_build_info` spell it.
#if LEVEL_V4
    public let instructionSetLevel = "x86-64-v4"
#elseif LEVEL_V3
    public let instructionSetLevel = "x86-64-v3"
#elseif arch(arm64)
    public let instructionSetLevel = "aarch64"
#else
    public let instructionSetLevel = "x86-64"
#endif

/// `a * b + c`: one rounding where the level has the instruction, two where it has not.
@inline(__always)
public func fma(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
    var sum = c
    cplatform_add_product(&sum, a, b)
    return sum
}

@inline(__always)
public func fma(_ a: Float, _ b: Float, _ c: Float) -> Float {
    #if LEVEL_V4 || LEVEL_V3 || arch(arm64)
        return c.addingProduct(a, b)
    #else
        return a * b + c
    #endif
}

/// The largest whole numbers that are not above `x`, for |x| < 2²².
@inline(__always)
func floor(_ x: Lanes) -> Lanes {
    #if LEVEL_V4 || LEVEL_V3 || arch(arm64)
        return x.rounded(.down)
    #else
        // There is no instruction, and `rounded` would call `floorf` once per lane: a sum of this size
        // has no room for fractions.
        let nearest = (x + 12_582_912) - 12_582_912
        return nearest - Lanes.zero.replacing(with: 1, where: nearest .> x)
    #endif
}

extension UnsafePointer<Float> {
    /// The vector that starts at `offset`; no alignment is assumed.
    @inline(__always)
    func lanes(_ offset: Int) -> Lanes {
        UnsafeRawPointer(self + offset).loadUnaligned(as: Lanes.self)
    }
}

extension UnsafeMutablePointer<Float> {
    @inline(__always)
    func lanes(_ offset: Int) -> Lanes {
        UnsafeRawPointer(self + offset).loadUnaligned(as: Lanes.self)
    }

    @inline(__always)
    func store(_ value: Lanes, _ offset: Int) {
        UnsafeMutableRawPointer(self + offset).storeBytes(of: value, as: Lanes.self)
    }

    /// Stores the first `count` lanes.
    @inline(__always)
    func storeFirst(_ count: Int, _ value: Lanes) {
        if count == Lanes.scalarCount { return store(value, 0) }
        for lane in 0..<count { self[lane] = value[lane] }
    }
}

/// Vectors of a range of floats, and how many lanes of each belong to it: all but in the last.
@inline(__always)
func forEachVector(of range: Range<Int>, _ body: (_ offset: Int, _ lanes: Int) -> Void) {
    var offset = range.lowerBound
    while offset < range.upperBound {
        body(offset, min(Lanes.scalarCount, range.upperBound &- offset))
        offset &+= Lanes.scalarCount
    }
}

/// Sum of the lanes by halves: `SIMD.sum()` is a serial chain.
@inline(__always)
func horizontalSum(_ v: SIMD16<Float>) -> Float { horizontalSum(v.lowHalf + v.highHalf) }
@inline(__always)
func horizontalSum(_ v: SIMD8<Float>) -> Float { horizontalSum(v.lowHalf + v.highHalf) }
@inline(__always)
func horizontalSum(_ v: SIMD4<Float>) -> Float {
    let pair = v.lowHalf + v.highHalf
    return pair.x + pair.y
}
