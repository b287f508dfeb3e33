/// Functions whose bits are the same wherever they run: libm's are not, which takes other instructions, and
/// rounds otherwise, on other processors.
///
/// Additions, multiplications and divisions in a fixed order, no fused ones; to about 1 ulp.
public enum Elementary {
    private static let ln2 = (high: 0x1.62e42fefa38p-1, low: 0x1.ef35793c7673p-45)

    /// ln x: 2 artanh((m - 1) / (m + 1)) + e ln 2, where x = m 2^e and m is in [√½, √2).
    public static func log(_ x: Double) -> Double {
        guard x > 0, x < .infinity else { return x == 0 ? -.infinity : x == .infinity ? x : .nan }
        guard x >= .leastNormalMagnitude else { return log(x * 0x1p54) - 54 * (ln2.high + ln2.low) }
        var exponent = Double(x.exponent)
        var m = x.significand
        if m > 0x1.6a09e667f3bcdp0 {
            m *= 0.5
            exponent += 1
        }
        let s = (m - 1) / (m + 1)
        let z = s * s
        // |s| < 0.172: the next term is below 2⁻⁵⁶ of the sum. Written out, as losses have many logarithms.
        var sum = 1.0 / 21
        sum = sum * z + 1.0 / 19
        sum = sum * z + 1.0 / 17
        sum = sum * z + 1.0 / 15
        sum = sum * z + 1.0 / 13
        sum = sum * z + 1.0 / 11
        sum = sum * z + 1.0 / 9
        sum = sum * z + 1.0 / 7
        sum = sum * z + 1.0 / 5
        sum = sum * z + 1.0 / 3
        return exponent * ln2.high + (2 * s + (2 * s * (sum * z) + exponent * ln2.low))
    }

    /// e^x: 2^k e^r with |r| ≤ ln 2 / 2 and Taylor's series of e^r.
    public static func exp(_ x: Double) -> Double {
        guard x.isFinite else { return x == -.infinity ? 0 : x }
        guard x < 709.8 else { return .infinity }
        guard x > -745.2 else { return 0 }
        let k = (x * 0x1.71547652b82fep0).rounded(.toNearestOrEven)
        let r = (x - k * ln2.high) - k * ln2.low
        var sum = 0.0
        for n in stride(from: 14.0, through: 2, by: -1) { sum = (sum + 1) * r / n }
        // The power is taken in two steps, as 2^1024 is no number.
        let half = Int(k / 2)
        return (1 + (sum + 1) * r) * power(2, half) * power(2, Int(k) - half)
    }

    /// cos(2π t): the angle is in whole turns, so that no multiple of π is rounded.
    public static func cosine(turns t: Double) -> Double {
        let turn = abs(t - t.rounded(.toNearestOrEven))
        // The angle is in [0, ½]; the cosine of the rest to ¼ or ½ has the other sign, or is a sine.
        if turn <= 0.125 { return cosine(2 * .pi * turn) }
        if turn <= 0.375 { return sine(2 * .pi * (0.25 - turn)) }
        return -cosine(2 * .pi * (0.5 - turn))
    }

    /// x^n by squaring; to n ulp.
    public static func power(_ x: Double, _ n: Int) -> Double {
        var (result, factor, left) = (1.0, n < 0 ? 1 / x : x, n.magnitude)
        while left > 0 {
            if left & 1 == 1 { result *= factor }
            factor *= factor
            left >>= 1
        }
        return result
    }

    /// Taylor's series, for |x| ≤ π / 4.
    private static func cosine(_ x: Double) -> Double {
        let z = -x * x
        var sum = 0.0
        for n in stride(from: 16.0, through: 2, by: -2) { sum = (sum + 1) * z / (n * (n - 1)) }
        return 1 + sum
    }

    private static func sine(_ x: Double) -> Double {
        let z = -x * x
        var sum = 0.0
        for n in stride(from: 17.0, through: 3, by: -2) { sum = (sum + 1) * z / (n * (n - 1)) }
        return x + x * sum
    }
}
