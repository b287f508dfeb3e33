/// A similarity q that falls with x = T² d². It is worked on as its logarithm, since it may be smaller than any
/// float.
public enum DistanceKernel: Sendable {
    /// e^(-x).
    case gaussian
    /// (1 + x / ν)^(-(ν + 1) / 2): Student's t with ν degrees of freedom; the Cauchy kernel for ν = 1.
    case studentT(degrees: Float)

    /// -d log q / dx.
    @inline(__always)
    public func slope(_ x: Float) -> Float {
        switch self {
        case .gaussian: return 1
        case .studentT(let degrees): return 0.5 * (degrees + 1) / (degrees + x)
        }
    }
}

extension PairSums {
    /// values = log q, from squared distances, in place.
    public static func logarithms(
        _ values: UnsafeMutablePointer<Float>, _ kernel: DistanceKernel, squaredTemperature: Float, count: Int
    ) {
        var k = 0
        while k < count {
            values.store(logarithm(kernel, values.lanes(k) * squaredTemperature), k)
            k &+= Lanes.scalarCount
        }
    }

    @inline(__always)
    private static func logarithm(_ kernel: DistanceKernel, _ x: Lanes) -> Lanes {
        switch kernel {
        case .gaussian: return -x
        case .studentT(let degrees):
            return TSimCNEKernels.logarithm(onePlus: x / degrees) * (-0.5 * (degrees + 1))
        }
    }

    /// The largest value; NaN is none.
    public static func largest(_ values: UnsafePointer<Float>, count: Int) -> Float {
        var best = Lanes(repeating: -.infinity)
        var k = 0
        while k &+ Lanes.scalarCount <= count {
            let x = values.lanes(k)
            best = best.replacing(with: x, where: x .> best)
            k &+= Lanes.scalarCount
        }
        var result = best.max()
        while k < count {
            if values[k] > result { result = values[k] }
            k &+= 1
        }
        return result
    }

    /// values = e^(values - shift), in place, where no value is above the shift.
    public static func exponentials(_ values: UnsafeMutablePointer<Float>, shift: Float, count: Int) {
        var k = 0
        while k < count {
            values.store(exponential(values.lanes(k) - shift), k)
            k &+= Lanes.scalarCount
        }
    }

    /// values = (q / S + q / S') · slope, the symmetric coefficient of a pair, from squared distances and the
    /// logarithms of both sums.
    public static func weigh(
        _ values: UnsafeMutablePointer<Float>, _ kernel: DistanceKernel, squaredTemperature: Float,
        logSum: Float, logSums: UnsafePointer<Float>, count: Int
    ) {
        var k = 0
        while k < count {
            let x = values.lanes(k) * squaredTemperature
            let q = logarithm(kernel, x)
            var weight = exponential(q - logSum) + exponential(q - logSums.lanes(k))
            if case .studentT(let degrees) = kernel { weight *= (0.5 * (degrees + 1)) / (x + degrees) }
            values.store(weight, k)
            k &+= Lanes.scalarCount
        }
    }
}
