/// Two 3×3 convolutions with a shortcut around them (He et al. 2016).
///
/// The shortcut is a 1×1 convolution with BatchNorm where the shape changes.
public final class BasicBlock: Layer {
    private let first: NormalizedConvolution
    private let second: NormalizedConvolution
    private let shortcut: NormalizedConvolution?
    private var output: Tensor?

    public init(_ name: String, inputs: Int, outputs: Int, stride: Int) {
        first = NormalizedConvolution(
            "\(name).conv1", normalization: "\(name).bn1", inputs: inputs, outputs: outputs, kernel: 3,
            stride: stride, rectifies: true)
        second = NormalizedConvolution(
            "\(name).conv2", normalization: "\(name).bn2", inputs: outputs, outputs: outputs, kernel: 3,
            stride: 1, rectifies: true)
        if stride != 1 || inputs != outputs {
            shortcut = NormalizedConvolution(
                "\(name).shortcut.0", normalization: "\(name).shortcut.1", inputs: inputs, outputs: outputs,
                kernel: 1, stride: stride, rectifies: false)
        } else {
            shortcut = nil
        }
    }

    var units: [NormalizedConvolution] { [first, second] + (shortcut.map { [$0] } ?? []) }
    public var parameters: [Parameter] { units.flatMap(\.parameters) }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        pass.usesBatchStatistics ? batchForward(input, pass) : runningForward(input, pass)
    }

    private func runningForward(_ input: Tensor, _ pass: Pass) -> Tensor {
        let inner = first.forward(input, pass)
        let side = shortcut?.forward(input, pass)
        let output = second.runningForward(inner, residual: side ?? input, pass)
        pass.workspace.release(inner)
        if let side { pass.workspace.release(side) }
        return output
    }

    /// The first convolution's normalised and rectified output is never stored: the second one makes it
    /// as it reads.
    private func batchForward(_ input: Tensor, _ pass: Pass) -> Tensor {
        let inner = first.rawForward(.plain(input), shape: input.shape, pass)
        let raw = second.rawForward(
            .activated(inner, first.normalization.activation), shape: inner.shape, pass)
        pass.releaseUnlessKept(inner)
        let side = shortcut.map { $0.rawForward(.plain(input), shape: input.shape, pass) }
        let output = pass.keepsInputs ? pass.workspace.tensor(raw.shape) : raw
        addOutput(input: input, into: output, pass)
        if let side { pass.releaseUnlessKept(side) }
        self.output = output
        return output
    }

    /// Appends what joins the block's two ways, from what the convolutions have made.
    private func addOutput(input: Tensor?, into output: Tensor, _ pass: Pass) {
        let residual: BatchNormalization.Residual =
            shortcut.map { .normalized($0.raw!, $0.normalization) } ?? .stored(input!)
        second.normalization.addOutput(of: second.raw!, residual: residual, into: output, pass)
    }

    /// Whether the output can be made without the input.
    var hasShortcutConvolution: Bool { shortcut != nil }

    /// Appends the output anew; `memory` holds the input, unless ``hasShortcutConvolution``.
    func remakeOutput(in memory: Tensor, _ pass: Pass) {
        addOutput(input: memory, into: memory, pass)
        output = memory
    }

    /// The input lies somewhere else when the backward pass reads it.
    func moveInput(to tensor: Tensor) {
        first.convolution.moveInput(to: tensor)
        shortcut?.convolution.moveInput(to: tensor)
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        maskGradient(gradient, pass)
        return backwardMasked(gradient, upstream: nil, pass)
    }

    /// Appends the block's rectifier to the gradient with respect to its output, in place.
    func maskGradient(_ gradient: Tensor, _ pass: Pass) {
        second.normalization.addMaskedSums(gradient: gradient, input: second.raw!, output: output!, pass)
    }

    /// The rectified normalisation whose output a block reads, for the backward pass to go straight on
    /// through it.
    struct Upstream {
        let normalization: BatchNormalization
        /// What it was given.
        let raw: Tensor
        /// What the block reads.
        let output: Tensor
    }

    /// This block's end as the next one's upstream.
    var asUpstream: Upstream {
        Upstream(normalization: second.normalization, raw: second.raw!, output: output!)
    }

    /// The backward pass from a gradient that is through the block's rectifier and summed.
    ///
    /// - Returns: the gradient with respect to the input, through the rectifier of `upstream`, where
    ///   there is one, and summed for its normalisation.
    func backwardMasked(_ gradient: Tensor, upstream: Upstream?, _ pass: Pass) -> Tensor {
        let (rectifier, memory) = first.normalization.gradientSums(
            of: first.raw!, slices: second.convolution.gradientSlices, pass)
        let inner = second.backwardMasked(
            gradient, keepsGradient: true,
            sink: .activation(rectifier, first.normalization.activation), pass)!
        first.normalization.addGradientSums(memory, slices: second.convolution.gradientSlices, pass)
        let side = shortcutGradient(gradient, pass)
        guard let upstream else { return first.backwardMasked(inner, sink: .adding(side), pass)! }
        let slices = first.convolution.gradientSlices
        let (next, nextMemory) = upstream.normalization.gradientSums(of: upstream.raw, slices: slices, pass)
        let result = first.backwardMasked(
            inner, sink: .joining(next, output: upstream.output, other: side), pass)!
        upstream.normalization.addGradientSums(nextMemory, slices: slices, pass)
        return result
    }

    /// The gradient with respect to the input that comes by the shortcut.
    private func shortcutGradient(_ gradient: Tensor, _ pass: Pass) -> Tensor {
        guard let shortcut else { return gradient }
        shortcut.normalization.addMaskedSums(
            gradient: gradient, input: shortcut.raw!, output: nil, pass)
        return shortcut.backwardMasked(gradient, sink: .plain, pass)!
    }
}
