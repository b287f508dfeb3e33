/// A function of each value by itself, as vectors compute it.
protocol ElementFunction {
    static func value(_ x: Lanes) -> Lanes
    /// `gradient` times the derivative at x.
    static func gradient(_ gradient: Lanes, at x: Lanes) -> Lanes
}

/// A loop that is compiled for each function, so that none is called from within it.
protocol FunctionLoop {
    func run<F: ElementFunction>(_: F.Type)
}

extension NonlinearityKernel.Function? {
    /// Runs the loop with this function, or with none.
    @inline(__always)
    func run(_ loop: some FunctionLoop) {
        switch self {
        case nil: loop.run(Identity.self)
        case .relu: loop.run(Rectifier.self)
        case .silu: loop.run(SiLU.self)
        case .hardSwish: loop.run(HardSwish.self)
        case .sigmoid: loop.run(Sigmoid.self)
        case .hardSigmoid: loop.run(HardSigmoid.self)
        }
    }
}

enum Identity: ElementFunction {
    @inline(__always) static func value(_ x: Lanes) -> Lanes { x }
    @inline(__always) static func gradient(_ gradient: Lanes, at x: Lanes) -> Lanes { gradient }
}

enum Rectifier: ElementFunction {
    // NaN stays NaN: a diverged network must not look sane.
    @inline(__always) static func value(_ x: Lanes) -> Lanes { x.replacing(with: 0, where: x .< 0) }
    @inline(__always) static func gradient(_ gradient: Lanes, at x: Lanes) -> Lanes {
        gradient.replacing(with: 0, where: x .<= 0)
    }
}

enum Sigmoid: ElementFunction {
    @inline(__always) static func value(_ x: Lanes) -> Lanes { 1 / (1 + exponential(-x)) }
    @inline(__always) static func gradient(_ gradient: Lanes, at x: Lanes) -> Lanes {
        let s = value(x)
        return gradient * s * (1 - s)
    }
}

enum SiLU: ElementFunction {
    @inline(__always) static func value(_ x: Lanes) -> Lanes { x * Sigmoid.value(x) }
    @inline(__always) static func gradient(_ gradient: Lanes, at x: Lanes) -> Lanes {
        let s = Sigmoid.value(x)
        return gradient * s * (1 + x * (1 - s))
    }
}

enum HardSigmoid: ElementFunction {
    @inline(__always) static func value(_ x: Lanes) -> Lanes {
        var result = (x + 3) / 6
        result.replace(with: 0, where: x .<= -3)
        result.replace(with: 1, where: x .>= 3)
        return result
    }
    @inline(__always) static func gradient(_ gradient: Lanes, at x: Lanes) -> Lanes {
        var slope = Lanes(repeating: 1 / 6)
        slope.replace(with: 0, where: x .<= -3)
        slope.replace(with: 0, where: x .>= 3)
        return gradient * slope
    }
}

enum HardSwish: ElementFunction {
    @inline(__always) static func value(_ x: Lanes) -> Lanes { x * HardSigmoid.value(x) }
    @inline(__always) static func gradient(_ gradient: Lanes, at x: Lanes) -> Lanes {
        var slope = (2 * x + 3) / 6
        slope.replace(with: 0, where: x .<= -3)
        slope.replace(with: 1, where: x .>= 3)
        return gradient * slope
    }
}
