/// Winograd's F(4, 3) with the points 0, ±1, ±2 and ∞ (Lavin and Gray 2016): a correlation of stride 1
/// with three weights, six products for four outputs.
enum UnitStrideTransforms: WinogradGradientTransforms {
    static var outputs: Int { 4 }
    static var frequencies: Int { 6 }
    static var shared: Int { 1 }

    enum Input: AxisAnalysis {
        static var values: Int { 6 }
        static var step: Int { 4 }
        static var padding: Int { 1 }

        @inline(__always)
        static func transform(_ d: (Int) -> Lanes, _ v: (Int, Lanes) -> Void) {
            let (d0, d1, d2, d3, d4, d5) = (d(0), d(1), d(2), d(3), d(4), d(5))
            let (two, four, five) = (Lanes(repeating: 2), Lanes(repeating: 4), Lanes(repeating: 5))
            let even = fma(d2, -four, d4)
            let odd = fma(d1, -four, d3)
            let near = d4 - d2
            let far = two * (d3 - d1)
            v(0, fma(d0, four, fma(d2, -five, d4)))
            v(1, even + odd)
            v(2, even - odd)
            v(3, near + far)
            v(4, near - far)
            v(5, fma(d1, four, fma(d3, -five, d5)))
        }
    }

    enum OutputGradient: AxisAnalysis {
        static var values: Int { 4 }
        static var step: Int { 4 }
        static var padding: Int { 0 }

        @inline(__always)
        static func transform(_ y: (Int) -> Lanes, _ m: (Int, Lanes) -> Void) {
            let (y0, y1, y2, y3) = (y(0), y(1), y(2), y(3))
            let (even, odd) = (y0 + y2, y1 + y3)
            let farEven = fma(y2, Lanes(repeating: 4), y0)
            let farOdd = fma(y3, Lanes(repeating: 8), y1 + y1)
            m(0, y0)
            m(1, even + odd)
            m(2, even - odd)
            m(3, farEven + farOdd)
            m(4, farEven - farOdd)
            m(5, y3)
        }
    }

    @inline(__always)
    static func output(_ m: (Int) -> Lanes, _ y: (Int, Lanes) -> Void) {
        let (m0, m1, m2, m3, m4, m5) = (m(0), m(1), m(2), m(3), m(4), m(5))
        let (sum, difference) = (m1 + m2, m1 - m2)
        let (farSum, farDifference) = (m3 + m4, m3 - m4)
        y(0, m0 + sum + farSum)
        y(1, fma(farDifference, Lanes(repeating: 2), difference))
        y(2, fma(farSum, Lanes(repeating: 4), sum))
        y(3, fma(farDifference, Lanes(repeating: 8), difference) + m5)
    }

    @inline(__always)
    static func weight(_ g: (Int) -> Lanes, _ u: (Int, Lanes) -> Void) {
        let (g0, g1, g2) = (g(0), g(1), g(2))
        let outer = (g0 + g2) * Lanes(repeating: -1 / 6)
        let middle = g1 * Lanes(repeating: 1 / 6)
        let farOuter = fma(g0, Lanes(repeating: 1 / 24), g2 * Lanes(repeating: 1 / 6))
        let farMiddle = g1 * Lanes(repeating: 1 / 12)
        u(0, g0 * Lanes(repeating: 1 / 4))
        u(1, outer - middle)
        u(2, outer + middle)
        u(3, farOuter + farMiddle)
        u(4, farOuter - farMiddle)
        u(5, g2)
    }

    @inline(__always)
    static func weightGradient(_ u: (Int) -> Lanes, _ g: (Int, Lanes) -> Void) {
        let (u0, u1, u2, u3, u4, u5) = (u(0), u(1), u(2), u(3), u(4), u(5))
        let sixth = Lanes(repeating: 1 / 6)
        let sum = (u1 + u2) * sixth
        let far = u3 + u4
        g(0, fma(u0, Lanes(repeating: 1 / 4), fma(far, Lanes(repeating: 1 / 24), -sum)))
        g(1, fma(u2 - u1, sixth, (u3 - u4) * Lanes(repeating: 1 / 12)))
        g(2, fma(far, sixth, u5 - sum))
    }
}
