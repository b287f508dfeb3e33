/// A convolution, the batch normalisation of its output and the function that may follow.
///
/// In training the convolution's *raw* output is stored, and its statistics are summed as it is written;
/// whoever reads it next normalises as it reads. In inference the convolution writes normalised values.
public final class NormalizedConvolution: Layer {
    let convolution: ConvolutionLayer
    let normalization: BatchNormalization
    /// What the convolution made, unless it was normalised at once.
    private(set) var raw: Tensor?

    public var parameters: [Parameter] { convolution.parameters + normalization.parameters }

    /// - Parameters:
    ///   - name: the convolution's name.
    ///   - normalization: the normalisation's name.
    ///   - inputs: the input's channels.
    ///   - outputs: the output's channels.
    ///   - kernel: the kernel's pixels a side.
    ///   - stride: pixels from one input to the next.
    ///   - function: what follows each normalised value.
    ///   - epsilon: what the normalisation adds to the variance.
    ///   - momentum: the newest batch's weight in the running statistics.
    public init(
        _ name: String, normalization: String, inputs: Int, outputs: Int, kernel: Int, stride: Int,
        function: Nonlinearity.Function? = nil, epsilon: Float = 1e-5, momentum: Float = 0.1
    ) {
        convolution = ConvolutionLayer(name, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride)
        self.normalization = BatchNormalization(
            normalization, channels: outputs, function: function, epsilon: epsilon, momentum: momentum)
    }

    public var normalizations: [BatchNormalization] { [normalization] }

    public func initialize(_ random: inout RandomNumbers) { convolution.initialize(&random) }

    /// Appends the convolution and the batch's statistics; returns the raw output.
    func rawForward(_ source: Convolution.Input, shape: Shape, _ pass: Pass) -> Tensor {
        let slicing = convolution.convolution(of: shape).forwardSlicing
        let channels = normalization.channels
        let memory = pass.workspace.tensor(
            Shape(rows: 1, columns: PartialSums.count(slices: slicing.count, rows: 3, channels: channels)))
        let sums = PartialSums(memory.pointer, rows: 3, channels: channels)
        let raw = convolution.forward(source, shape: shape, sink: .statistics(sums), pass)
        normalization.addStatistics(
            sums, slices: slicing.count, positions: slicing.positions, pass)
        pass.workspace.release(memory)
        self.raw = raw
        return raw
    }

    /// Appends the convolution with the running statistics applied; the residual is added before the
    /// rectifier.
    func runningForward(_ input: Tensor, residual: Tensor?, _ pass: Pass) -> Tensor {
        let writer = normalization.addRunningCoefficients(residual: residual, pass)
        return convolution.forward(.plain(input), shape: input.shape, sink: .affine(writer), pass)
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        guard pass.usesBatchStatistics else {
            let output = runningForward(input, residual: nil, pass)
            if let function = normalization.function, function != .relu {
                Nonlinearity.add(function, of: output, into: output, pass)
            }
            return output
        }
        let raw = rawForward(.plain(input), shape: input.shape, pass)
        let output = pass.successor(of: raw)
        normalization.addOutput(of: raw, residual: nil, into: output, pass)
        if output.pointer != raw.pointer { pass.releaseUnlessKept(raw) }
        return output
    }

    /// Gives back the raw output's memory, to be made again by ``remakeRaw(_:)``.
    func dropRaw(_ pass: Pass) {
        pass.workspace.release(raw!)
        raw = nil
    }

    /// Appends the convolution once more, unless its raw output is there.
    func remakeRaw(_ pass: Pass) {
        if raw == nil { raw = convolution.forwardAgain(pass) }
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        normalization.addMaskedSums(gradient: gradient, input: raw!, pass)
        return backwardMasked(gradient, sink: wantsInputGradient ? .plain : nil, pass)
    }

    /// The backward pass from a gradient that is through the function and summed; gives back its memory
    /// and the raw output's.
    func backwardMasked(
        _ gradient: Tensor, keepsGradient: Bool = false, sink: Convolution.GradientSink?, _ pass: Pass
    ) -> Tensor? {
        let result = convolution.backward(
            .normalized(normalization.inputGradient(gradient, input: raw!)), sink: sink, pass)
        if !keepsGradient { pass.workspace.release(gradient) }
        pass.workspace.release(raw!)
        return result
    }
}
