import TSimCNEKernels

/// A function of each value by itself.
public final class Nonlinearity: Layer {
    public typealias Function = NonlinearityKernel.Function

    private let function: Function
    private var input: Tensor?

    public init(_ function: Function) { self.function = function }

    private static let block = 16384

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        self.input = input
        let output = pass.keepsInputs ? pass.workspace.tensor(input.shape) : input
        loop("\(function)", input.count, pass) { [function] range in
            NonlinearityKernel.forward(function, input.pointer, into: output.pointer, range)
        }
        return output
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let input = input!
        loop("\(function) gradient", gradient.count, pass) { [function] range in
            NonlinearityKernel.backward(function, input.pointer, gradient: gradient.pointer, range)
        }
        return gradient
    }

    private func loop(_ name: String, _ count: Int, _ pass: Pass, _ body: @escaping (Range<Int>) -> Void) {
        let block = Nonlinearity.block
        pass.program.add(name, slices: (count + block - 1) / block) { slice, _ in
            body(slice * block..<min(count, (slice + 1) * block))
        }
    }
}
