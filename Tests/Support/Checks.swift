import TSimCNEKernels

/// Numbers that look random, the same in every run: uniform in [-1, 1).
public func values(_ count: Int, seed: UInt64) -> [Float] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Float(state >> 40) / Float(1 << 23) - 1
    }
}

/// Largest difference, relative to the largest value of the second; that counts as `floor` at least.
public func relativeError(_ a: [Float], _ b: [Double], floor: Double = 1e-30) -> Double {
    precondition(a.count == b.count)
    let scale = b.reduce(floor) { max($0, abs($1)) }
    return zip(a, b).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / scale
}

public func doubles(_ a: [Float]) -> [Double] { a.map(Double.init) }

/// Central difference of `function` along coordinate `index`.
public func centralDifference(_ x: [Double], _ index: Int, _ function: ([Double]) -> Double) -> Double {
    let step = 1e-5
    var (up, down) = (x, x)
    up[index] += step
    down[index] -= step
    return (function(up) - function(down)) / (2 * step)
}
