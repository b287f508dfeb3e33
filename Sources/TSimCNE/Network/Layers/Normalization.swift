import TSimCNEKernels

/// ``BatchNormalization`` as a layer of its own, for what no convolution before or after it can do on its way.
public final class Normalization: Layer {
    let normalization: BatchNormalization
    private var input: Tensor?

    public var parameters: [Parameter] { normalization.parameters }
    public var normalizations: [BatchNormalization] { [normalization] }

    public init(
        _ name: String, channels: Int, function: Nonlinearity.Function? = nil, epsilon: Float = 1e-5,
        momentum: Float = 0.1
    ) {
        normalization = BatchNormalization(
            name, channels: channels, function: function, epsilon: epsilon, momentum: momentum)
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        if pass.usesBatchStatistics {
            normalization.addStatistics(of: input, pass)
        } else {
            _ = normalization.addRunningCoefficients(residual: nil, pass)
        }
        let output = pass.keepsInputs ? pass.workspace.tensor(input.shape) : input
        normalization.addOutput(of: input, residual: nil, into: output, pass)
        self.input = input
        return output
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        normalization.addMaskedSums(gradient: gradient, input: input!, pass)
        guard wantsInputGradient else {
            pass.workspace.release(gradient)
            return nil
        }
        // Each value is read before it is written.
        pass.program.addCopy(
            "\(normalization.name) input gradient",
            of: .normalized(normalization.inputGradient(gradient, input: input!)), into: gradient)
        return gradient
    }
}
