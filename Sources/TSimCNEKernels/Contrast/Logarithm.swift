/// ln(1 + x), lane by lane, to 2 ulp of the result for x in [0, 10³⁰]; NaN stays NaN.
///
/// Reduction to [√½, √2) and a polynomial of degree 9 (Cephes' logf), with what 1 + x lost in rounding added
/// back: small x keep their precision.
public func logarithm(onePlus x: Lanes) -> Lanes {
    let u = x + 1
    let bits = unsafeBitCast(u, to: LaneBits.self)
    // 2²³ + n has the integer n in its low bits.
    let exponent = unsafeBitCast((bits &>> 23) | 0x4b00_0000, to: Lanes.self) - 8_388_734
    var m = unsafeBitCast((bits & 0x007f_ffff) | 0x3f00_0000, to: Lanes.self)
    let isLow = m .< Float(0.707_106_77)
    let e = exponent.replacing(with: exponent - 1, where: isLow)
    m = m.replacing(with: m + m, where: isLow) - 1
    let z = m * m
    var p = Lanes(repeating: 7.037_683_6e-2)
    p = fma(p, m, Lanes(repeating: -1.151_461e-1))
    p = fma(p, m, Lanes(repeating: 1.167_699_87e-1))
    p = fma(p, m, Lanes(repeating: -1.242_014_1e-1))
    p = fma(p, m, Lanes(repeating: 1.424_932_3e-1))
    p = fma(p, m, Lanes(repeating: -1.666_805_8e-1))
    p = fma(p, m, Lanes(repeating: 2.000_071_5e-1))
    p = fma(p, m, Lanes(repeating: -2.499_999_4e-1))
    p = fma(p, m, Lanes(repeating: 3.333_333_1e-1))
    var rest = fma(e, Lanes(repeating: -2.121_944_4e-4), p * m * z)
    rest = fma(z, Lanes(repeating: -0.5), rest) + (x - (u - 1)) / u
    var result = fma(e, Lanes(repeating: 0.693_359_375), m + rest)
    result.replace(with: x, where: x .!= x)
    return result
}
