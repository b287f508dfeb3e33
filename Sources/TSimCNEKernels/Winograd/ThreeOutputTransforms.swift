/// Winograd's F(3, 3) with the points 0, -1, 2, 1/2 and ∞: a correlation of stride 1 with three weights, five
/// products for three outputs. For planes of which tiles of 4×4 would leave much empty: 5, 6, 9.
enum ThreeOutputTransforms: WinogradGradientTransforms {
    static var outputs: Int { 3 }
    static var frequencies: Int { 5 }
    static var shared: Int { 1 }

    enum Input: AxisAnalysis {
        static var values: Int { 5 }
        static var step: Int { 3 }
        static var padding: Int { 1 }

        /// The points are those of F(4, 2), and Bᵀ depends on nothing else.
        @inline(__always)
        static func transform(_ d: (Int) -> Lanes, _ v: (Int, Lanes) -> Void) {
            PairsOfFour.input(d, v)
        }
    }

    enum OutputGradient: AxisAnalysis {
        static var values: Int { 3 }
        static var step: Int { 3 }
        static var padding: Int { 0 }

        @inline(__always)
        static func transform(_ y: (Int) -> Lanes, _ m: (Int, Lanes) -> Void) {
            let (y0, y1, y2) = (y(0), y(1), y(2))
            let four = Lanes(repeating: 4)
            let twice = y1 + y1
            m(0, y0)
            m(1, y0 + y2 - y1)
            m(2, fma(y2, four, y0 + twice))
            m(3, fma(y0, four, y2 + twice))
            m(4, y2)
        }
    }

    @inline(__always)
    static func output(_ m: (Int) -> Lanes, _ y: (Int, Lanes) -> Void) {
        let (m0, m1, m2, m3, m4) = (m(0), m(1), m(2), m(3), m(4))
        let four = Lanes(repeating: 4)
        y(0, fma(m3, four, m2) + (m0 + m1))
        y(1, fma(m2 + m3, Lanes(repeating: 2), -m1))
        y(2, fma(m2, four, m3) + (m1 + m4))
    }

    @inline(__always)
    static func weight(_ g: (Int) -> Lanes, _ u: (Int, Lanes) -> Void) {
        let (g0, g1, g2) = (g(0), g(1), g(2))
        let ninth = Lanes(repeating: 1 / 9)
        let four = Lanes(repeating: 4)
        let twice = g1 + g1
        u(0, g0)
        u(1, (g0 + g2 - g1) * Lanes(repeating: 2 / 9))
        u(2, fma(g2, four, g0 + twice) * ninth)
        u(3, fma(g0, four, g2 + twice) * ninth)
        u(4, g2)
    }

    @inline(__always)
    static func weightGradient(_ u: (Int) -> Lanes, _ g: (Int, Lanes) -> Void) {
        let (u0, u1, u2, u3, u4) = (u(0), u(1), u(2), u(3), u(4))
        let ninth = Lanes(repeating: 1 / 9)
        let four = Lanes(repeating: 4)
        let twice = u1 + u1
        g(0, fma(fma(u3, four, u2 + twice), ninth, u0))
        g(1, (u2 + u3 - u1) * Lanes(repeating: 2 / 9))
        g(2, fma(fma(u2, four, u3 + twice), ninth, u4))
    }
}
