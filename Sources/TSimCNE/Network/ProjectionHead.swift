/// From features to the embedding: one linear layer, or two with a rectifier between them.
public final class ProjectionHead: Layer {
    public enum Kind: Sendable { case linear, mlp }

    public let kind: Kind
    private let name: String
    private let hidden: Linear?
    private let rectifier = ReLU()
    /// Replaced when a stage begins with another output dimension.
    public private(set) var output: Linear

    public init(_ name: String, kind: Kind, inputs: Int, hidden hiddenCount: Int, outputs: Int) {
        self.kind = kind
        self.name = name
        hidden = kind == .mlp ? Linear("\(name).layers.0", inputs: inputs, outputs: hiddenCount) : nil
        output = Linear(
            ProjectionHead.outputName(name, kind), inputs: kind == .mlp ? hiddenCount : inputs,
            outputs: outputs)
    }

    private static func outputName(_ name: String, _ kind: Kind) -> String {
        kind == .mlp ? "\(name).layers.2" : "\(name).layers.0"
    }

    public var parameters: [Parameter] { (hidden?.parameters ?? []) + output.parameters }

    func initialize(_ random: inout RandomNumbers) {
        hidden?.initialize(&random)
        output.initialize(&random)
    }

    /// A new output layer with the default initialisation.
    func replaceOutput(outputs: Int, _ random: inout RandomNumbers) {
        output = Linear(ProjectionHead.outputName(name, kind), inputs: output.inputs, outputs: outputs)
        output.initialize(&random)
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        guard let hidden else { return output.forward(input, pass) }
        return output.forward(rectifier.forward(hidden.forward(input, pass), pass), pass)
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        guard let hidden else {
            return output.backward(gradient, pass, wantsInputGradient: wantsInputGradient)
        }
        let inner = output.backward(gradient, pass, wantsInputGradient: true)!
        let raw = rectifier.backward(inner, pass, wantsInputGradient: true)!
        return hidden.backward(raw, pass, wantsInputGradient: wantsInputGradient)
    }

    /// The output layer's own gradient: all that a stage with the rest frozen needs.
    func backwardOutput(_ gradient: Tensor, _ pass: Pass) {
        _ = output.backward(gradient, pass, wantsInputGradient: false)
    }
}
