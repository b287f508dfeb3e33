/// A correlation of stride 2 with three weights, nine products for four outputs: the outer two weights
/// meet every other input, which is F(4, 2) with the points 0, -1, 2, 1/2 and ∞; the middle one meets
/// the inputs between, once for each output.
///
/// These points halve the error that 0, ±1 and 2 give.
enum StrideTwoTransforms: WinogradGradientTransforms {
    static var outputs: Int { 4 }
    static var frequencies: Int { 9 }
    static var shared: Int { 4 }

    enum Input: AxisAnalysis {
        static var values: Int { 9 }
        static var step: Int { 8 }
        static var padding: Int { 1 }

        @inline(__always)
        static func transform(_ d: (Int) -> Lanes, _ v: (Int, Lanes) -> Void) {
            @inline(__always) func every(_ i: Int) -> Lanes { d(2 &* i) }
            pairInput(every, v)
            for i in 0..<4 { v(5 &+ i, d(2 &* i &+ 1)) }
        }
    }

    enum OutputGradient: AxisAnalysis {
        static var values: Int { 4 }
        static var step: Int { 4 }
        static var padding: Int { 0 }

        @inline(__always)
        static func transform(_ y: (Int) -> Lanes, _ m: (Int, Lanes) -> Void) {
            let (y0, y1, y2, y3) = (y(0), y(1), y(2), y(3))
            let (two, four, eight) = (Lanes(repeating: 2), Lanes(repeating: 4), Lanes(repeating: 8))
            m(0, y0)
            m(1, (y0 + y2) - (y1 + y3))
            m(2, fma(y3, eight, fma(y2, four, fma(y1, two, y0))))
            m(3, fma(y0, eight, fma(y1, four, fma(y2, two, y3))))
            m(4, y3)
            m(5, y0)
            m(6, y1)
            m(7, y2)
            m(8, y3)
        }
    }

    @inline(__always)
    static func output(_ m: (Int) -> Lanes, _ y: (Int, Lanes) -> Void) {
        @inline(__always) func add(_ i: Int, _ value: Lanes) { y(i, value + m(5 &+ i)) }
        pairOutput(m, add)
    }

    @inline(__always)
    static func weight(_ g: (Int) -> Lanes, _ u: (Int, Lanes) -> Void) {
        let (g0, g1, g2) = (g(0), g(1), g(2))
        let ninth = Lanes(repeating: 1 / 9)
        u(0, g0)
        u(1, (g0 - g2) * Lanes(repeating: 2 / 9))
        u(2, (g0 + g2 + g2) * ninth)
        u(3, (g0 + g0 + g2) * ninth)
        u(4, g2)
        u(5, g1)
    }

    @inline(__always)
    static func weightGradient(_ u: (Int) -> Lanes, _ g: (Int, Lanes) -> Void) {
        let (u0, u1, u2, u3, u4, u5) = (u(0), u(1), u(2), u(3), u(4), u(5))
        let ninth = Lanes(repeating: 1 / 9)
        let twice = u1 + u1
        g(0, fma(u3 + u3 + u2 + twice, ninth, u0))
        g(1, u5)
        g(2, fma(u2 + u2 + u3 - twice, ninth, u4))
    }

    /// Bᵀ d of F(4, 2).
    @inline(__always)
    static func pairInput(_ d: (Int) -> Lanes, _ v: (Int, Lanes) -> Void) {
        let (d0, d1, d2, d3, d4) = (d(0), d(1), d(2), d(3), d(4))
        let (half, threeHalves) = (Lanes(repeating: 0.5), Lanes(repeating: 1.5))
        v(0, fma(d1 + d2, -threeHalves, d0 + d3))
        v(1, fma(d2, Lanes(repeating: 2.5), -(d1 + d3)))
        v(2, fma(d2 - d1, half, d3))
        v(3, fma(d2 - d3, half, d1))
        v(4, fma(d2 + d3, -threeHalves, d1 + d4))
    }

    /// Aᵀ m of F(4, 2).
    @inline(__always)
    static func pairOutput(_ m: (Int) -> Lanes, _ y: (Int, Lanes) -> Void) {
        let (m0, m1, m2, m3, m4) = (m(0), m(1), m(2), m(3), m(4))
        let (two, four, eight) = (Lanes(repeating: 2), Lanes(repeating: 4), Lanes(repeating: 8))
        y(0, fma(m3, eight, m2) + (m0 + m1))
        y(1, fma(m3, four, fma(m2, two, -m1)))
        y(2, fma(m3, two, fma(m2, four, m1)))
        y(3, fma(m2, eight, m3) + (m4 - m1))
    }
}

/// The gradient of that correlation with respect to its inputs: from the gradients of five outputs those
/// of eight inputs, every other one F(4, 2) of the turned outer weights, the others a product with the
/// middle one.
enum StrideTwoGradientTransforms: WinogradTransforms {
    static var outputs: Int { 8 }
    static var frequencies: Int { 9 }
    static var shared: Int { 4 }

    enum Input: AxisAnalysis {
        static var values: Int { 5 }
        static var step: Int { 4 }
        static var padding: Int { 0 }

        @inline(__always)
        static func transform(_ d: (Int) -> Lanes, _ v: (Int, Lanes) -> Void) {
            StrideTwoTransforms.pairInput(d, v)
            for i in 0..<4 { v(5 &+ i, d(i)) }
        }
    }

    @inline(__always)
    static func output(_ m: (Int) -> Lanes, _ y: (Int, Lanes) -> Void) {
        @inline(__always) func interleave(_ i: Int, _ value: Lanes) {
            y(2 &* i, m(5 &+ i))
            y(2 &* i &+ 1, value)
        }
        StrideTwoTransforms.pairOutput(m, interleave)
    }

    @inline(__always)
    static func weight(_ g: (Int) -> Lanes, _ u: (Int, Lanes) -> Void) {
        StrideTwoTransforms.weight(g, u)
    }
}
