/// e^x, lane by lane, to 2 ulp for x in [-87, 88]; 0 below and +∞ above; NaN stays NaN.
///
/// Cody–Waite reduction to [-ln 2 / 2, ln 2 / 2] and a polynomial of degree 6 (Cephes' expf): the same
/// bits wherever this level runs, which libm does not promise.
@inline(__always)
public func exponential(_ x: Lanes) -> Lanes {
    let (low, high) = (Lanes(repeating: -87.3), Lanes(repeating: 88))
    // `clamped` would be a call.
    let clipped = x.replacing(with: low, where: x .< low).replacing(with: high, where: x .> high)
    let n = (clipped * Float(1.442_695_04)).rounded(.toNearestOrEven)
    var r = fma(n, Lanes(repeating: -0.693_359_375), clipped)
    r = fma(n, Lanes(repeating: 2.121_944_4e-4), r)
    var p = Lanes(repeating: 1.987_569_15e-4)
    p = fma(p, r, Lanes(repeating: 1.398_199_95e-3))
    p = fma(p, r, Lanes(repeating: 8.333_452e-3))
    p = fma(p, r, Lanes(repeating: 4.166_579_6e-2))
    p = fma(p, r, Lanes(repeating: 0.166_666_65))
    p = fma(p, r, Lanes(repeating: 0.5))
    p = fma(p, r * r, r + 1)
    // Adding 1.5 · 2²³ + 127 leaves the biased exponent in the low bits.
    let shifted = unsafeBitCast(n + 12_583_039, to: LaneBits.self) &<< 23
    var result = p * unsafeBitCast(shifted, to: Lanes.self)
    result.replace(with: 0, where: x .< -87.3)
    result.replace(with: .infinity, where: x .> 88)
    // Clamping may have replaced NaN.
    result.replace(with: x, where: x .!= x)
    return result
}

/// A vector of as many patterns of 32 bits.
#if LEVEL_V4
    typealias LaneBits = SIMD16<UInt32>
#elseif LEVEL_V3
    typealias LaneBits = SIMD8<UInt32>
#else
    typealias LaneBits = SIMD4<UInt32>
#endif
