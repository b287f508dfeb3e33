/// Convolution without bias, 1×1 or 3×3, stride 1 or 2 (zero padding keeps the plane at stride 1).
public final class ConvolutionLayer: Layer {
    public let weight: Parameter
    private let kernel: Int
    private let stride: Int
    private let outputs: Int
    private var input: Tensor?
    private var activation: Activation?

    public var parameters: [Parameter] { [weight] }

    public init(_ name: String, inputs: Int, outputs: Int, kernel: Int, stride: Int) {
        self.kernel = kernel
        self.stride = stride
        self.outputs = outputs
        weight = Parameter("\(name).weight", shape: [kernel, kernel, inputs, outputs])
    }

    /// He-normal by fan-out, as the method's reference.
    func initialize(_ random: inout RandomNumbers) {
        let fanOut = Float(kernel * kernel * outputs)
        weight.fillNormal(deviation: (2 / fanOut).squareRoot(), &random)
    }

    private func convolution(of input: Shape) -> Convolution {
        Convolution(
            ConvolutionGeometry(input: input, outputChannels: outputs, kernel: kernel, stride: stride))
    }

    /// Whether an input of this shape may come with an activation.
    func appliesActivation(to input: Shape) -> Bool { convolution(of: input).appliesActivation }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        forward(input, activation: nil, pass)
    }

    /// The convolution of the activated input.
    func forward(_ input: Tensor, activation: Activation?, _ pass: Pass) -> Tensor {
        self.input = input
        self.activation = activation
        let convolution = convolution(of: input.shape)
        let output = pass.workspace.tensor(convolution.geometry.output)
        convolution.forward(
            pass.program, name: weight.name, workspace: pass.workspace, input: input,
            activation: activation, weight: weight.value, output: output)
        return output
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let input = input!
        let convolution = convolution(of: input.shape)
        convolution.backwardWeight(
            pass.program, name: weight.name, workspace: pass.workspace, input: input,
            activation: activation, outputGradient: gradient, weightGradient: weight.gradient)
        pass.program.mark(.gradient(name: weight.name))
        defer { pass.workspace.release(gradient) }
        guard wantsInputGradient else { return nil }
        let inputGradient = pass.workspace.tensor(input.shape)
        convolution.backwardData(
            pass.program, name: weight.name, workspace: pass.workspace, outputGradient: gradient,
            weight: weight.value, inputGradient: inputGradient)
        return inputGradient
    }
}
