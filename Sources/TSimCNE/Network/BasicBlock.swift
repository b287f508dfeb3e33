/// Two 3×3 convolutions with a shortcut around them (He et al. 2016).
///
/// The shortcut is a 1×1 convolution with BatchNorm where the shape changes.
public final class BasicBlock: Layer {
    private let convolution1: ConvolutionLayer
    private let normalization1: BatchNormalization
    private let convolution2: ConvolutionLayer
    private let normalization2: BatchNormalization
    private let shortcut: (convolution: ConvolutionLayer, normalization: BatchNormalization)?

    public init(_ name: String, inputs: Int, outputs: Int, stride: Int) {
        convolution1 = ConvolutionLayer(
            "\(name).conv1", inputs: inputs, outputs: outputs, kernel: 3, stride: stride)
        normalization1 = BatchNormalization("\(name).bn1", channels: outputs, rectifies: true)
        convolution2 = ConvolutionLayer(
            "\(name).conv2", inputs: outputs, outputs: outputs, kernel: 3, stride: 1)
        normalization2 = BatchNormalization("\(name).bn2", channels: outputs, rectifies: true)
        if stride != 1 || inputs != outputs {
            shortcut = (
                ConvolutionLayer(
                    "\(name).shortcut.0", inputs: inputs, outputs: outputs, kernel: 1, stride: stride),
                BatchNormalization("\(name).shortcut.1", channels: outputs, rectifies: false)
            )
        } else {
            shortcut = nil
        }
    }

    var convolutions: [ConvolutionLayer] {
        [convolution1, convolution2] + (shortcut.map { [$0.convolution] } ?? [])
    }
    var normalizations: [BatchNormalization] {
        [normalization1, normalization2] + (shortcut.map { [$0.normalization] } ?? [])
    }
    public var parameters: [Parameter] {
        convolution1.parameters + normalization1.parameters + convolution2.parameters
            + normalization2.parameters
            + (shortcut.map { $0.convolution.parameters + $0.normalization.parameters } ?? [])
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        let inner = convolution1.forward(input, pass)
        let residual = shortcut.map { $0.normalization.forward($0.convolution.forward(input, pass), pass) }
        let raw = secondConvolution(of: inner, pass)
        let output = normalization2.forward(raw, residual: residual ?? input, pass)
        // The shortcut's normalisation has no rectifier, so its backward pass never reads its output.
        if let residual { pass.workspace.release(residual) }
        return output
    }

    /// The second convolution of the first one's normalised output, which is stored only if it must be.
    private func secondConvolution(of inner: Tensor, _ pass: Pass) -> Tensor {
        let raw: Tensor
        let read: Tensor
        if convolution2.appliesActivation(to: inner.shape) {
            read = inner
            raw = convolution2.forward(inner, activation: normalization1.activation(of: inner, pass), pass)
        } else {
            read = normalization1.forward(inner, pass)
            raw = convolution2.forward(read, pass)
        }
        pass.releaseUnlessKept(read)
        return raw
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let (outer, residual) = normalization2.backward(gradient, hasResidual: true, pass)
        let inner = convolution2.backward(outer, pass, wantsInputGradient: true)!
        let first = normalization1.backward(inner, pass, wantsInputGradient: true)!
        let main = convolution1.backward(first, pass, wantsInputGradient: true)!
        var side = residual!
        if let shortcut {
            let raw = shortcut.normalization.backward(side, pass, wantsInputGradient: true)!
            side = shortcut.convolution.backward(raw, pass, wantsInputGradient: true)!
        }
        let other = side
        let block = 32768
        let count = main.count
        pass.program.add("residual gradient", slices: (count + block - 1) / block) { slice, _ in
            for i in slice * block..<min(count, (slice + 1) * block) {
                main.pointer[i] += other.pointer[i]
            }
        }
        pass.workspace.release(other)
        return main
    }
}
