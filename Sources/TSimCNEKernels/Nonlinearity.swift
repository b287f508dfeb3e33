/// Functions of each value by itself, and their gradients.
public enum NonlinearityKernel {
    public enum Function: String, Sendable, CaseIterable {
        case relu
        /// x σ(x).
        case silu
        /// x min(max(x + 3, 0), 6) / 6.
        case hardSwish
        case sigmoid
        /// min(max(x + 3, 0), 6) / 6.
        case hardSigmoid
    }

    /// output = f(input), in whole vectors but for the last: may be in place.
    public static func forward(
        _ function: Function, _ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>,
        _ range: Range<Int>
    ) {
        switch function {
        case .relu: forEach(range) { (output + $0).storeFirst($1, positive(input.lanes($0))) }
        case .silu:
            forEach(range) {
                let x = input.lanes($0)
                (output + $0).storeFirst($1, x * sigmoid(x))
            }
        case .hardSwish:
            forEach(range) {
                let x = input.lanes($0)
                (output + $0).storeFirst($1, x * hardSigmoid(x))
            }
        case .sigmoid: forEach(range) { (output + $0).storeFirst($1, sigmoid(input.lanes($0))) }
        case .hardSigmoid: forEach(range) { (output + $0).storeFirst($1, hardSigmoid(input.lanes($0))) }
        }
    }

    /// gradient *= f'(input).
    public static func backward(
        _ function: Function, _ input: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>,
        _ range: Range<Int>
    ) {
        switch function {
        case .relu:
            forEach(range) {
                let slope = gradient.lanes($0).replacing(with: 0, where: input.lanes($0) .<= 0)
                (gradient + $0).storeFirst($1, slope)
            }
        case .silu:
            forEach(range) {
                let x = input.lanes($0)
                let s = sigmoid(x)
                (gradient + $0).storeFirst($1, gradient.lanes($0) * s * (1 + x * (1 - s)))
            }
        case .hardSwish:
            forEach(range) {
                let x = input.lanes($0)
                var slope = (2 * x + 3) / 6
                slope.replace(with: 0, where: x .<= -3)
                slope.replace(with: 1, where: x .>= 3)
                (gradient + $0).storeFirst($1, gradient.lanes($0) * slope)
            }
        case .sigmoid:
            forEach(range) {
                let s = sigmoid(input.lanes($0))
                (gradient + $0).storeFirst($1, gradient.lanes($0) * s * (1 - s))
            }
        case .hardSigmoid:
            forEach(range) {
                let x = input.lanes($0)
                var slope = Lanes(repeating: 1 / 6)
                slope.replace(with: 0, where: x .<= -3)
                slope.replace(with: 0, where: x .>= 3)
                (gradient + $0).storeFirst($1, gradient.lanes($0) * slope)
            }
        }
    }

    @inline(__always)
    private static func positive(_ x: Lanes) -> Lanes { x.replacing(with: 0, where: x .< 0) }

    @inline(__always)
    private static func sigmoid(_ x: Lanes) -> Lanes { 1 / (1 + exponential(-x)) }

    @inline(__always)
    private static func hardSigmoid(_ x: Lanes) -> Lanes {
        var result = (x + 3) / 6
        result.replace(with: 0, where: x .<= -3)
        result.replace(with: 1, where: x .>= 3)
        return result
    }

    /// Vectors of the range, and how many lanes of each belong to it.
    @inline(__always)
    private static func forEach(_ range: Range<Int>, _ body: (_ offset: Int, _ lanes: Int) -> Void) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            body(offset, min(Lanes.scalarCount, range.upperBound &- offset))
            offset &+= Lanes.scalarCount
        }
    }
}
