/// Convolutions with a shortcut around them (He et al. 2016): two of 3×3, or a bottleneck of 1×1, 3×3 and 1×1.
///
/// The shortcut is a 1×1 convolution with BatchNorm where the shape changes.
public final class ResidualBlock: Layer {
    public enum Kind: Sendable {
        case basic
        /// A block whose outputs are four times the width; the stride is that of the 3×3 convolution.
        case bottleneck

        var expansion: Int { self == .basic ? 1 : 4 }
        fileprivate var kernels: [Int] { self == .basic ? [3, 3] : [1, 3, 1] }
        fileprivate var strided: Int { self == .basic ? 0 : 1 }
    }

    private let convolutions: [NormalizedConvolution]
    private let shortcut: NormalizedConvolution?
    private var output: Tensor?

    private var first: NormalizedConvolution { convolutions.first! }
    private var last: NormalizedConvolution { convolutions.last! }

    /// - Parameters:
    ///   - convolutions: two or more, a rectifier after each; the last one's is that of the sum.
    ///   - shortcut: what is added; nil for the input itself.
    init(_ convolutions: [NormalizedConvolution], shortcut: NormalizedConvolution?) {
        self.convolutions = convolutions
        self.shortcut = shortcut
    }

    public convenience init(_ name: String, _ kind: Kind = .basic, inputs: Int, width: Int, stride: Int) {
        let outputs = kind.expansion * width
        var channels = inputs
        let convolutions = kind.kernels.enumerated().map { index, kernel in
            let next = index == kind.kernels.count - 1 ? outputs : width
            defer { channels = next }
            return NormalizedConvolution(
                "\(name).conv\(index + 1)", normalization: "\(name).bn\(index + 1)", inputs: channels,
                outputs: next, kernel: kernel, stride: index == kind.strided ? stride : 1, function: .relu)
        }
        guard stride != 1 || inputs != outputs else {
            self.init(convolutions, shortcut: nil)
            return
        }
        self.init(
            convolutions,
            shortcut: NormalizedConvolution(
                "\(name).shortcut.0", normalization: "\(name).shortcut.1", inputs: inputs, outputs: outputs,
                kernel: 1, stride: stride))
    }

    var units: [NormalizedConvolution] { convolutions + (shortcut.map { [$0] } ?? []) }
    public var parameters: [Parameter] { units.flatMap(\.parameters) }
    public var normalizations: [BatchNormalization] { units.map(\.normalization) }

    public func initialize(_ random: inout RandomNumbers) {
        for unit in units { unit.initialize(&random) }
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        pass.usesBatchStatistics ? batchForward(input, pass) : runningForward(input, pass)
    }

    private func runningForward(_ input: Tensor, _ pass: Pass) -> Tensor {
        var inner = input
        for (index, convolution) in convolutions.dropLast().enumerated() {
            let next = convolution.forward(inner, pass)
            if index > 0 { pass.workspace.release(inner) }
            inner = next
        }
        let side = shortcut?.forward(input, pass)
        let output = last.runningForward(inner, residual: side ?? input, pass)
        pass.workspace.release(inner)
        if let side { pass.workspace.release(side) }
        return output
    }

    /// The normalised and rectified output of a convolution before the last is never stored: the next one makes
    /// it as it reads.
    private func batchForward(_ input: Tensor, _ pass: Pass) -> Tensor {
        var raw = first.rawForward(.plain(input), shape: input.shape, pass)
        for (before, convolution) in zip(convolutions, convolutions.dropFirst()) {
            let inner = raw
            raw = convolution.rawForward(
                .activated(inner, before.normalization.activation), shape: inner.shape, pass)
            pass.releaseUnlessKept(inner)
        }
        let side = shortcut.map { $0.rawForward(.plain(input), shape: input.shape, pass) }
        let output = pass.successor(of: raw)
        addOutput(input: input, into: output, pass)
        if output.pointer != raw.pointer { pass.releaseUnlessKept(raw) }
        if let side { pass.releaseUnlessKept(side) }
        self.output = output
        return output
    }

    /// Appends what joins the block's two ways, from what the convolutions have made.
    private func addOutput(input: Tensor?, into output: Tensor, _ pass: Pass) {
        let residual: BatchNormalization.Residual =
            shortcut.map { .normalized($0.raw!, $0.normalization) } ?? .stored(input!)
        last.normalization.addOutput(of: last.raw!, residual: residual, into: output, pass)
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
        last.normalization.addMaskedSums(gradient: gradient, input: last.raw!, output: output!, pass)
    }

    /// The rectified normalisation whose output a block reads, for the backward pass to go straight on
    /// through it.
    struct Upstream {
        let normalization: BatchNormalization
        /// What the normalisation was given.
        let raw: Tensor
        /// What the block reads.
        let output: Tensor
    }

    /// This block's end as the next one's upstream.
    var asUpstream: Upstream {
        Upstream(normalization: last.normalization, raw: last.raw!, output: output!)
    }

    /// The backward pass from a gradient that is through the block's rectifier and summed.
    ///
    /// - Returns: the gradient with respect to the input, through the rectifier of `upstream`, where
    ///   there is one, and summed for its normalisation.
    func backwardMasked(_ gradient: Tensor, upstream: Upstream?, _ pass: Pass) -> Tensor {
        var inner = gradient
        for index in (1..<convolutions.count).reversed() {
            let (before, convolution) = (convolutions[index - 1], convolutions[index])
            let slices = convolution.convolution.gradientSlices
            let (rectifier, memory) = before.normalization.gradientSums(of: before.raw!, slices: slices, pass)
            // The shortcut reads the block's own gradient.
            inner = convolution.backwardMasked(
                inner, keepsGradient: index == convolutions.count - 1,
                sink: .activation(rectifier, before.normalization.activation), pass)!
            before.normalization.addGradientSums(memory, slices: slices, pass)
        }
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
