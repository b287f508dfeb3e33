/// The one-dimensional transforms of Winograd's F(4, 3) with the points 0, ±1, ±2 and ∞ (Lavin and
/// Gray 2016).
///
/// For a 6-vector d of inputs, a 3-vector g of weights and the 4-vector y of outputs of a correlation,
/// y = Aᵀ [(G g) ⊙ (Bᵀ d)].
enum WinogradTransforms {
    typealias Six = (Lanes, Lanes, Lanes, Lanes, Lanes, Lanes)

    @inline(__always)
    static var zero: Six { (.zero, .zero, .zero, .zero, .zero, .zero) }

    /// Bᵀ d.
    @inline(__always)
    static func input(_ d: Six) -> Six {
        let (two, four, five) = (Lanes(repeating: 2), Lanes(repeating: 4), Lanes(repeating: 5))
        let even = fma(d.2, -four, d.4)
        let odd = fma(d.1, -four, d.3)
        let near = d.4 - d.2
        let far = two * (d.3 - d.1)
        return (
            fma(d.0, four, fma(d.2, -five, d.4)), even + odd, even - odd, near + far, near - far,
            fma(d.1, four, fma(d.3, -five, d.5))
        )
    }

    /// Aᵀ m.
    @inline(__always)
    static func output(_ m: Six) -> (Lanes, Lanes, Lanes, Lanes) {
        let (sum, difference) = (m.1 + m.2, m.1 - m.2)
        let (farSum, farDifference) = (m.3 + m.4, m.3 - m.4)
        return (
            m.0 + sum + farSum, fma(farDifference, Lanes(repeating: 2), difference),
            fma(farSum, Lanes(repeating: 4), sum), fma(farDifference, Lanes(repeating: 8), difference) + m.5
        )
    }

    /// A y: the transpose of ``output(_:)``, for gradients with respect to outputs.
    @inline(__always)
    static func outputGradient(_ y: (Lanes, Lanes, Lanes, Lanes)) -> Six {
        let (even, odd) = (y.0 + y.2, y.1 + y.3)
        let farEven = fma(y.2, Lanes(repeating: 4), y.0)
        let farOdd = fma(y.3, Lanes(repeating: 8), y.1 + y.1)
        return (y.0, even + odd, even - odd, farEven + farOdd, farEven - farOdd, y.3)
    }

    /// G g.
    @inline(__always)
    static func weight(_ g: (Lanes, Lanes, Lanes)) -> Six {
        let outer = (g.0 + g.2) * Lanes(repeating: -1 / 6)
        let middle = g.1 * Lanes(repeating: 1 / 6)
        let farOuter = fma(g.0, Lanes(repeating: 1 / 24), g.2 * Lanes(repeating: 1 / 6))
        let farMiddle = g.1 * Lanes(repeating: 1 / 12)
        return (
            g.0 * Lanes(repeating: 1 / 4), outer - middle, outer + middle, farOuter + farMiddle,
            farOuter - farMiddle, g.2
        )
    }

    /// Gᵀ u: the transpose of ``weight(_:)``, for gradients with respect to weights.
    @inline(__always)
    static func weightGradient(_ u: Six) -> (Lanes, Lanes, Lanes) {
        let sixth = Lanes(repeating: 1 / 6)
        let sum = (u.1 + u.2) * sixth
        let far = u.3 + u.4
        return (
            fma(u.0, Lanes(repeating: 1 / 4), fma(far, Lanes(repeating: 1 / 24), -sum)),
            fma(u.2 - u.1, sixth, (u.3 - u.4) * Lanes(repeating: 1 / 12)), fma(far, sixth, u.5 - sum)
        )
    }

    @inline(__always)
    static func load(_ source: UnsafePointer<Float>, stride: Int) -> Six {
        (
            source.lanes(0), source.lanes(stride), source.lanes(2 &* stride), source.lanes(3 &* stride),
            source.lanes(4 &* stride), source.lanes(5 &* stride)
        )
    }

    @inline(__always)
    static func store(_ v: Six, _ target: UnsafeMutablePointer<Float>, stride: Int) {
        target.store(v.0, 0)
        target.store(v.1, stride)
        target.store(v.2, 2 &* stride)
        target.store(v.3, 3 &* stride)
        target.store(v.4, 4 &* stride)
        target.store(v.5, 5 &* stride)
    }
}
