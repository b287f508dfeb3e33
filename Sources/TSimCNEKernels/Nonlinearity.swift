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
        Optional(function).run(Forward(input: input, output: output, range: range))
    }

    /// gradient *= f'(input).
    public static func backward(
        _ function: Function, _ input: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>,
        _ range: Range<Int>
    ) {
        Optional(function).run(Backward(input: input, gradient: gradient, range: range))
    }

    private struct Forward: FunctionLoop {
        let input: UnsafePointer<Float>
        let output: UnsafeMutablePointer<Float>
        let range: Range<Int>

        func run<F: ElementFunction>(_: F.Type) {
            forEachVector(of: range) { (output + $0).storeFirst($1, F.value(input.lanes($0))) }
        }
    }

    private struct Backward: FunctionLoop {
        let input: UnsafePointer<Float>
        let gradient: UnsafeMutablePointer<Float>
        let range: Range<Int>

        func run<F: ElementFunction>(_: F.Type) {
            forEachVector(of: range) {
                (gradient + $0).storeFirst($1, F.gradient(gradient.lanes($0), at: input.lanes($0)))
            }
        }
    }
}
