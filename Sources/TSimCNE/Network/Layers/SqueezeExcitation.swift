/// Scales each channel of an image by a number in [0, 1] that two small layers make of the channels' means (Hu, Shen
/// and Sun, CVPR 2018).
public final class SqueezeExcitation: Layer {
    private let pooling = GlobalAveragePooling()
    private let squeeze: PatchConvolution
    private let excite: PatchConvolution
    private let gate: Chain
    private var input: Tensor?
    private var means: Tensor?
    private var scales: Tensor?

    public var parameters: [Parameter] { gate.parameters }

    /// - Parameters:
    ///   - name: what the names of `fc1` and `fc2`, as torchvision calls them, begin with.
    ///   - channels: the input's channels.
    ///   - squeezed: the channels in between.
    ///   - inner: the function after the first layer.
    ///   - gate: the function after the second one.
    public init(
        _ name: String, channels: Int, squeezed: Int, inner: Nonlinearity.Function,
        gate: Nonlinearity.Function
    ) {
        squeeze = PatchConvolution(
            "\(name).fc1", inputs: channels, outputs: squeezed, kernel: 1, stride: 1, hasBias: true)
        excite = PatchConvolution(
            "\(name).fc2", inputs: squeezed, outputs: channels, kernel: 1, stride: 1, hasBias: true)
        self.gate = Chain([squeeze, Nonlinearity(inner), excite, Nonlinearity(gate)])
    }

    public func initialize(_ random: inout RandomNumbers) {
        squeeze.initialize(&random)
        excite.initialize(&random)
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        let means = pooling.forward(input, pass)
        let scales = gate.forward(means, pass)
        let output = pass.keepsInputs ? pass.workspace.tensor(input.shape) : input
        let (area, channels) = (input.shape.height * input.shape.width, input.shape.channels)
        pass.program.add("excitation", slices: input.shape.images) { image, _ in
            let factors = scales.pointer + image * channels
            for p in image * area..<(image + 1) * area {
                let (source, target) = (input.pointer + p * channels, output.pointer + p * channels)
                for c in 0..<channels { target[c] = source[c] * factors[c] }
            }
        }
        (self.input, self.means, self.scales) = (input, means, scales)
        pass.releaseUnlessKept(means)
        pass.releaseUnlessKept(scales)
        return output
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let (input, scales) = (input!, scales!)
        let (area, channels) = (input.shape.height * input.shape.width, input.shape.channels)
        let ofScales = pass.workspace.tensor(scales.shape)
        pass.program.add("excitation sums", slices: input.shape.images) { image, _ in
            let sums = ofScales.pointer + image * channels
            sums.update(repeating: 0, count: channels)
            for p in image * area..<(image + 1) * area {
                let (source, slope) = (input.pointer + p * channels, gradient.pointer + p * channels)
                for c in 0..<channels { sums[c] += slope[c] * source[c] }
            }
        }
        let ofMeans = gate.backward(ofScales, pass, wantsInputGradient: true)!
        // The gradient goes on to the input by the scales, and by the means that they are made of.
        pass.program.add("excitation gradient", slices: input.shape.images) { image, _ in
            let (factors, shares) = (scales.pointer + image * channels, ofMeans.pointer + image * channels)
            for c in 0..<channels { shares[c] /= Float(area) }
            for p in image * area..<(image + 1) * area {
                let slope = gradient.pointer + p * channels
                for c in 0..<channels { slope[c] = slope[c] * factors[c] + shares[c] }
            }
        }
        for tensor in [ofMeans, scales, means!] { pass.workspace.release(tensor) }
        return gradient
    }
}
