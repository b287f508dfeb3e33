import TSimCNEKernels

/// A function of each value by itself.
public final class Nonlinearity: Layer {
    public typealias Function = NonlinearityKernel.Function

    private let function: Function
    private var input: Tensor?

    public init(_ function: Function) { self.function = function }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        self.input = input
        let output = pass.keepsInputs ? pass.workspace.tensor(input.shape) : input
        Nonlinearity.add(function, of: input, into: output, pass)
        return output
    }

    /// Appends the function of each value; may be in place.
    static func add(_ function: Function, of input: Tensor, into output: Tensor, _ pass: Pass) {
        addLoop("\(function)", input.count, pass) { range in
            NonlinearityKernel.forward(function, input.pointer, into: output.pointer, range)
        }
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let input = input!
        Nonlinearity.addLoop("\(function) gradient", gradient.count, pass) { [function] range in
            NonlinearityKernel.backward(function, input.pointer, gradient: gradient.pointer, range)
        }
        return gradient
    }

    private static func addLoop(
        _ name: String, _ count: Int, _ pass: Pass, _ body: @escaping (Range<Int>) -> Void
    ) {
        let block = 16384
        pass.program.add(name, slices: (count + block - 1) / block) { slice, _ in
            body(slice * block..<min(count, (slice + 1) * block))
        }
    }
}
