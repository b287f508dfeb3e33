/// Convolution without bias, 1×1 or 3×3, stride 1 or 2 (zero padding keeps the plane at stride 1).
public final class ConvolutionLayer: Layer {
    public let weight: Parameter
    private let kernel: Int
    private let stride: Int
    private let outputs: Int
    private var input: (source: Convolution.Input, shape: Shape)?

    public var parameters: [Parameter] { [weight] }

    public init(_ name: String, inputs: Int, outputs: Int, kernel: Int, stride: Int) {
        self.kernel = kernel
        self.stride = stride
        self.outputs = outputs
        weight = Parameter("\(name).weight", shape: [kernel, kernel, inputs, outputs])
    }

    /// Draws He-normal weights by fan-out, as the method's reference does.
    public func initialize(_ random: inout RandomNumbers) {
        let fanOut = Float(kernel * kernel * outputs)
        weight.fillNormal(deviation: (2 / fanOut).squareRoot(), &random)
    }

    /// - Parameter precision: of the products; slices do not depend on it.
    func convolution(of input: Shape, precision: Precision = .single) -> Convolution {
        Convolution(
            ConvolutionGeometry(input: input, outputChannels: outputs, kernel: kernel, stride: stride),
            precision: precision)
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        forward(.plain(input), shape: input.shape, sink: .plain, pass)
    }

    /// The convolution of what `source`, of the given shape, makes of a tensor.
    func forward(
        _ source: Convolution.Input, shape: Shape, sink: Convolution.Sink, _ pass: Pass
    ) -> Tensor {
        input = (source, shape)
        let convolution = convolution(of: shape, precision: pass.precision.products)
        // Only what a normalisation will read is stored in fewer bits.
        let isRaw = if case .statistics = sink { true } else { false }
        let output = pass.workspace.tensor(
            convolution.geometry.output,
            isRaw && convolution.storesShortNumbers ? pass.precision.storage : .single)
        convolution.forward(
            pass.program, name: weight.name, workspace: pass.workspace, source: source,
            weight: weight.value, output: output, sink: sink)
        return output
    }

    /// The convolution of the same input once more.
    func forwardAgain(_ pass: Pass) -> Tensor {
        forward(input!.source, shape: input!.shape, sink: .plain, pass)
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        defer { pass.workspace.release(gradient) }
        return backward(.plain(gradient), sink: wantsInputGradient ? .plain : nil, pass)
    }

    /// The input lies somewhere else when the backward pass reads it.
    func moveInput(to tensor: Tensor) { input = (.plain(tensor), tensor.shape) }

    /// Slices in which a sink of the backward pass sums.
    var gradientSlices: Int { convolution(of: input!.shape).gradientSlices }

    /// The gradients with respect to the weight and, if there is a sink for it, the input. No memory is
    /// given back.
    func backward(
        _ gradient: Convolution.OutputGradient, sink: Convolution.GradientSink?, _ pass: Pass
    ) -> Tensor? {
        let (source, shape) = input!
        let result = convolution(of: shape, precision: pass.precision.products).backward(
            pass.program, name: weight.name, workspace: pass.workspace, source: source,
            outputGradient: gradient, weight: weight.value, weightGradient: weight.gradient, sink: sink)
        pass.program.mark(.gradient(name: weight.name))
        return result
    }
}
