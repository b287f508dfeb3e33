// A plane of two or three pixels is one tile, and all beyond it is zero: a correlation of stride 1 with three
// weights then needs one product more than there are outputs, not two. See docs/derivations/winograd.md.

/// Two pixels: three products for two outputs, nine for a plane's four, where its definition has 36.
enum PlaneOfTwoTransforms: WinogradGradientTransforms {
    static var outputs: Int { 2 }
    static var frequencies: Int { 3 }
    static var shared: Int { 1 }

    enum Input: AxisAnalysis {
        static var values: Int { 2 }
        static var step: Int { 2 }
        static var padding: Int { 0 }

        @inline(__always)
        static func transform(_ d: (Int) -> Lanes, _ v: (Int, Lanes) -> Void) {
            let (d0, d1) = (d(0), d(1))
            v(0, d0 + d1)
            v(1, d1)
            v(2, d0)
        }
    }

    enum OutputGradient: AxisAnalysis {
        static var values: Int { 2 }
        static var step: Int { 2 }
        static var padding: Int { 0 }

        @inline(__always)
        static func transform(_ y: (Int) -> Lanes, _ m: (Int, Lanes) -> Void) {
            let (y0, y1) = (y(0), y(1))
            m(0, y0 + y1)
            m(1, y0)
            m(2, y1)
        }
    }

    @inline(__always)
    static func output(_ m: (Int) -> Lanes, _ y: (Int, Lanes) -> Void) {
        let (m0, m1, m2) = (m(0), m(1), m(2))
        y(0, m0 + m1)
        y(1, m0 + m2)
    }

    @inline(__always)
    static func weight(_ g: (Int) -> Lanes, _ u: (Int, Lanes) -> Void) {
        let (g0, g1, g2) = (g(0), g(1), g(2))
        u(0, g1)
        u(1, g2 - g1)
        u(2, g0 - g1)
    }

    @inline(__always)
    static func weightGradient(_ u: (Int) -> Lanes, _ g: (Int, Lanes) -> Void) {
        let (u0, u1, u2) = (u(0), u(1), u(2))
        g(0, u2)
        g(1, u0 - u1 - u2)
        g(2, u1)
    }
}

/// Three pixels: four products for three outputs, of which one pair sees the sum of the outer weights, and the
/// other their difference.
enum PlaneOfThreeTransforms: WinogradGradientTransforms {
    static var outputs: Int { 3 }
    static var frequencies: Int { 4 }
    static var shared: Int { 1 }

    enum Input: AxisAnalysis {
        static var values: Int { 3 }
        static var step: Int { 3 }
        static var padding: Int { 0 }

        @inline(__always)
        static func transform(_ d: (Int) -> Lanes, _ v: (Int, Lanes) -> Void) {
            let (d0, d1, d2) = (d(0), d(1), d(2))
            let half = Lanes(repeating: 0.5)
            let even = (d0 + d2) * half
            let odd = (d0 - d2) * half
            v(0, fma(d1, Lanes(repeating: 0.75), even))
            v(1, fma(d1, Lanes(repeating: -0.75), even))
            v(2, fma(d1, Lanes(repeating: 0.25), odd))
            v(3, fma(d1, Lanes(repeating: -0.25), odd))
        }
    }

    enum OutputGradient: AxisAnalysis {
        static var values: Int { 3 }
        static var step: Int { 3 }
        static var padding: Int { 0 }

        @inline(__always)
        static func transform(_ y: (Int) -> Lanes, _ m: (Int, Lanes) -> Void) {
            let (y0, y1, y2) = (y(0), y(1), y(2))
            let half = Lanes(repeating: 0.5)
            let even = (y0 + y2) * half
            let odd = (y0 - y2) * half
            m(0, fma(y1, Lanes(repeating: 0.75), even))
            m(1, fma(y1, Lanes(repeating: -0.75), even))
            m(2, fma(y1, Lanes(repeating: -0.25), odd))
            m(3, fma(y1, Lanes(repeating: 0.25), odd))
        }
    }

    @inline(__always)
    static func output(_ m: (Int) -> Lanes, _ y: (Int, Lanes) -> Void) {
        let (m0, m1, m2, m3) = (m(0), m(1), m(2), m(3))
        let half = Lanes(repeating: 0.5)
        let even = (m0 + m1) * half
        let odd = (m2 + m3) * half
        y(0, even + odd)
        y(1, fma(m0 - m1, Lanes(repeating: 0.75), (m3 - m2) * Lanes(repeating: 0.25)))
        y(2, even - odd)
    }

    @inline(__always)
    static func weight(_ g: (Int) -> Lanes, _ u: (Int, Lanes) -> Void) {
        let (g0, g1, g2) = (g(0), g(1), g(2))
        let (even, odd) = (g0 + g2, g2 - g0)
        u(0, fma(even, Lanes(repeating: 2 / 3), g1))
        u(1, fma(even, Lanes(repeating: -2 / 3), g1))
        u(2, fma(odd, Lanes(repeating: 2), g1))
        u(3, fma(odd, Lanes(repeating: -2), g1))
    }

    @inline(__always)
    static func weightGradient(_ u: (Int) -> Lanes, _ g: (Int, Lanes) -> Void) {
        let (u0, u1, u2, u3) = (u(0), u(1), u(2), u(3))
        let even = (u0 - u1) * Lanes(repeating: 2 / 3)
        let odd = (u2 - u3) + (u2 - u3)
        g(0, even - odd)
        g(1, (u0 + u1) + (u2 + u3))
        g(2, even + odd)
    }
}
