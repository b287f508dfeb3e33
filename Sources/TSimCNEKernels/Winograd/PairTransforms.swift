/// A correlation of stride 1 with two weights, one product more than outputs: with inputs d, weights g and
/// outputs y of a tile,
///
///     y = Aᵀ [(G g) ⊙ (Bᵀ d)].
///
/// It is what the outer two weights of a correlation of stride 2 make of every other input; see
/// ``StrideTwoTransforms``.
protocol PairTransforms: Sendable {
    /// Length of y; d and the products are one longer.
    static var outputs: Int { get }
    /// Bᵀ d
    static func input(_ d: (Int) -> Lanes, _ v: (Int, Lanes) -> Void)
    /// Aᵀ m
    static func output(_ m: (Int) -> Lanes, _ y: (Int, Lanes) -> Void)
    /// A y, and y itself behind it.
    static func outputGradient(_ y: (Int) -> Lanes, _ m: (Int, Lanes) -> Void)
    /// G (g0, g2)
    static func weight(_ g0: Lanes, _ g2: Lanes, _ u: (Int, Lanes) -> Void)
    /// Gᵀ u, as g0 and g2.
    static func weightGradient(_ u: (Int) -> Lanes, _ g: (Int, Lanes) -> Void)
}

/// F(2, 2) with the points 0, 1 and ∞.
enum PairsOfTwo: PairTransforms {
    static var outputs: Int { 2 }

    @inline(__always)
    static func input(_ d: (Int) -> Lanes, _ v: (Int, Lanes) -> Void) {
        let (d0, d1, d2) = (d(0), d(1), d(2))
        v(0, d0 - d1)
        v(1, d1)
        v(2, d2 - d1)
    }

    @inline(__always)
    static func output(_ m: (Int) -> Lanes, _ y: (Int, Lanes) -> Void) {
        let (m0, m1, m2) = (m(0), m(1), m(2))
        y(0, m0 + m1)
        y(1, m1 + m2)
    }

    @inline(__always)
    static func outputGradient(_ y: (Int) -> Lanes, _ m: (Int, Lanes) -> Void) {
        let (y0, y1) = (y(0), y(1))
        m(0, y0)
        m(1, y0 + y1)
        m(2, y1)
        m(3, y0)
        m(4, y1)
    }

    @inline(__always)
    static func weight(_ g0: Lanes, _ g2: Lanes, _ u: (Int, Lanes) -> Void) {
        u(0, g0)
        u(1, g0 + g2)
        u(2, g2)
    }

    @inline(__always)
    static func weightGradient(_ u: (Int) -> Lanes, _ g: (Int, Lanes) -> Void) {
        let (u0, u1, u2) = (u(0), u(1), u(2))
        g(0, u0 + u1)
        g(2, u1 + u2)
    }
}

/// F(3, 2) with the points 0, ±1 and ∞.
enum PairsOfThree: PairTransforms {
    static var outputs: Int { 3 }

    @inline(__always)
    static func input(_ d: (Int) -> Lanes, _ v: (Int, Lanes) -> Void) {
        let (d0, d1, d2, d3) = (d(0), d(1), d(2), d(3))
        v(0, d0 - d2)
        v(1, d1 + d2)
        v(2, d2 - d1)
        v(3, d3 - d1)
    }

    @inline(__always)
    static func output(_ m: (Int) -> Lanes, _ y: (Int, Lanes) -> Void) {
        let (m0, m1, m2, m3) = (m(0), m(1), m(2), m(3))
        let sum = m1 + m2
        y(0, m0 + sum)
        y(1, m1 - m2)
        y(2, m3 + sum)
    }

    @inline(__always)
    static func outputGradient(_ y: (Int) -> Lanes, _ m: (Int, Lanes) -> Void) {
        let (y0, y1, y2) = (y(0), y(1), y(2))
        let outer = y0 + y2
        m(0, y0)
        m(1, outer + y1)
        m(2, outer - y1)
        m(3, y2)
        m(4, y0)
        m(5, y1)
        m(6, y2)
    }

    @inline(__always)
    static func weight(_ g0: Lanes, _ g2: Lanes, _ u: (Int, Lanes) -> Void) {
        let half = Lanes(repeating: 0.5)
        u(0, g0)
        u(1, (g0 + g2) * half)
        u(2, (g0 - g2) * half)
        u(3, g2)
    }

    @inline(__always)
    static func weightGradient(_ u: (Int) -> Lanes, _ g: (Int, Lanes) -> Void) {
        let (u0, u1, u2, u3) = (u(0), u(1), u(2), u(3))
        let half = Lanes(repeating: 0.5)
        g(0, fma(u1 + u2, half, u0))
        g(2, fma(u1 - u2, half, u3))
    }
}

/// F(4, 2) with the points 0, -1, 2, 1/2 and ∞, which halve the error that 0, ±1 and 2 give.
enum PairsOfFour: PairTransforms {
    static var outputs: Int { 4 }

    @inline(__always)
    static func input(_ d: (Int) -> Lanes, _ v: (Int, Lanes) -> Void) {
        let (d0, d1, d2, d3, d4) = (d(0), d(1), d(2), d(3), d(4))
        let (half, threeHalves) = (Lanes(repeating: 0.5), Lanes(repeating: 1.5))
        v(0, fma(d1 + d2, -threeHalves, d0 + d3))
        v(1, fma(d2, Lanes(repeating: 2.5), -(d1 + d3)))
        v(2, fma(d2 - d1, half, d3))
        v(3, fma(d2 - d3, half, d1))
        v(4, fma(d2 + d3, -threeHalves, d1 + d4))
    }

    @inline(__always)
    static func output(_ m: (Int) -> Lanes, _ y: (Int, Lanes) -> Void) {
        let (m0, m1, m2, m3, m4) = (m(0), m(1), m(2), m(3), m(4))
        let (two, four, eight) = (Lanes(repeating: 2), Lanes(repeating: 4), Lanes(repeating: 8))
        y(0, fma(m3, eight, m2) + (m0 + m1))
        y(1, fma(m3, four, fma(m2, two, -m1)))
        y(2, fma(m3, two, fma(m2, four, m1)))
        y(3, fma(m2, eight, m3) + (m4 - m1))
    }

    @inline(__always)
    static func outputGradient(_ y: (Int) -> Lanes, _ m: (Int, Lanes) -> Void) {
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

    @inline(__always)
    static func weight(_ g0: Lanes, _ g2: Lanes, _ u: (Int, Lanes) -> Void) {
        let ninth = Lanes(repeating: 1 / 9)
        u(0, g0)
        u(1, (g0 - g2) * Lanes(repeating: 2 / 9))
        u(2, (g0 + g2 + g2) * ninth)
        u(3, (g0 + g0 + g2) * ninth)
        u(4, g2)
    }

    @inline(__always)
    static func weightGradient(_ u: (Int) -> Lanes, _ g: (Int, Lanes) -> Void) {
        let (u0, u1, u2, u3, u4) = (u(0), u(1), u(2), u(3), u(4))
        let ninth = Lanes(repeating: 1 / 9)
        let twice = u1 + u1
        g(0, fma(u3 + u3 + u2 + twice, ninth, u0))
        g(2, fma(u2 + u2 + u3 - twice, ninth, u4))
    }
}
