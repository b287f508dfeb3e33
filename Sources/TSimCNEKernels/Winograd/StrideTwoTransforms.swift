/// A correlation of stride 2 with three weights, 2n + 1 products for n outputs: the outer two weights
/// meet every other input, which is F(n, 2); the middle one meets the inputs between, once for each output.
enum StrideTwoTransforms<Pairs: PairTransforms>: WinogradGradientTransforms {
    static var outputs: Int { Pairs.outputs }
    static var frequencies: Int { 2 &* Pairs.outputs &+ 1 }
    static var shared: Int { Pairs.outputs }

    enum Input: AxisAnalysis {
        static var values: Int { 2 &* Pairs.outputs &+ 1 }
        static var step: Int { 2 &* Pairs.outputs }
        static var padding: Int { 1 }

        @inline(__always)
        static func transform(_ d: (Int) -> Lanes, _ v: (Int, Lanes) -> Void) {
            @inline(__always) func every(_ i: Int) -> Lanes { d(2 &* i) }
            Pairs.input(every, v)
            for i in 0..<Pairs.outputs { v(Pairs.outputs &+ 1 &+ i, d(2 &* i &+ 1)) }
        }
    }

    enum OutputGradient: AxisAnalysis {
        static var values: Int { Pairs.outputs }
        static var step: Int { Pairs.outputs }
        static var padding: Int { 0 }

        @inline(__always)
        static func transform(_ y: (Int) -> Lanes, _ m: (Int, Lanes) -> Void) {
            Pairs.outputGradient(y, m)
        }
    }

    @inline(__always)
    static func output(_ m: (Int) -> Lanes, _ y: (Int, Lanes) -> Void) {
        @inline(__always) func add(_ i: Int, _ value: Lanes) {
            y(i, value + m(Pairs.outputs &+ 1 &+ i))
        }
        Pairs.output(m, add)
    }

    @inline(__always)
    static func weight(_ g: (Int) -> Lanes, _ u: (Int, Lanes) -> Void) {
        Pairs.weight(g(0), g(2), u)
        u(Pairs.outputs &+ 1, g(1))
    }

    @inline(__always)
    static func weightGradient(_ u: (Int) -> Lanes, _ g: (Int, Lanes) -> Void) {
        Pairs.weightGradient(u, g)
        g(1, u(Pairs.outputs &+ 1))
    }
}

/// The gradient of that correlation with respect to its inputs: from the gradients of n + 1 outputs those
/// of 2n inputs, every other one F(n, 2) of the turned outer weights, the others a product with the middle
/// one.
enum StrideTwoGradientTransforms<Pairs: PairTransforms>: WinogradTransforms {
    static var outputs: Int { 2 &* Pairs.outputs }
    static var frequencies: Int { 2 &* Pairs.outputs &+ 1 }
    static var shared: Int { Pairs.outputs }

    enum Input: AxisAnalysis {
        static var values: Int { Pairs.outputs &+ 1 }
        static var step: Int { Pairs.outputs }
        static var padding: Int { 0 }

        @inline(__always)
        static func transform(_ d: (Int) -> Lanes, _ v: (Int, Lanes) -> Void) {
            Pairs.input(d, v)
            for i in 0..<Pairs.outputs { v(Pairs.outputs &+ 1 &+ i, d(i)) }
        }
    }

    @inline(__always)
    static func output(_ m: (Int) -> Lanes, _ y: (Int, Lanes) -> Void) {
        @inline(__always) func interleave(_ i: Int, _ value: Lanes) {
            y(2 &* i, m(Pairs.outputs &+ 1 &+ i))
            y(2 &* i &+ 1, value)
        }
        Pairs.output(m, interleave)
    }

    @inline(__always)
    static func weight(_ g: (Int) -> Lanes, _ u: (Int, Lanes) -> Void) {
        StrideTwoTransforms<Pairs>.weight(g, u)
    }
}
