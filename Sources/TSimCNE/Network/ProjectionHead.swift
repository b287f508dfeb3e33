/// The layers from features to the embedding: hidden ones, each with a rectifier after it, and a linear one.
public final class ProjectionHead: Layer {
    private let name: String
    private let hidden: [(linear: Linear, rectifier: ReLU)]
    /// The output layer, which is replaced when a stage begins with another output dimension.
    public private(set) var output: Linear

    /// - Parameters:
    ///   - name: what its layers' names begin with.
    ///   - inputs: the number of features.
    ///   - widths: outputs of the hidden layers, from the features on; empty for a linear head.
    ///   - outputs: the embedding's dimension.
    public init(_ name: String, inputs: Int, hidden widths: [Int], outputs: Int) {
        self.name = name
        let sizes = [inputs] + widths
        hidden = widths.indices.map { i in
            (Linear("\(name).layers.\(2 * i)", inputs: sizes[i], outputs: sizes[i + 1]), ReLU())
        }
        output = Linear(
            "\(name).layers.\(2 * widths.count)", inputs: sizes.last!, outputs: outputs, isOutput: true)
    }

    public var parameters: [Parameter] { hidden.flatMap(\.linear.parameters) + output.parameters }

    public func initialize(_ random: inout RandomNumbers) {
        for layer in hidden {
            // The reference's one layer begins as it does there.
            if hidden.count > 1 {
                layer.linear.initializeForRectifier(&random)
            } else {
                layer.linear.initialize(&random)
            }
        }
        output.initialize(&random)
    }

    /// Makes a new output layer with the default initialisation.
    func replaceOutput(outputs: Int, _ random: inout RandomNumbers) {
        output = Linear(
            "\(name).layers.\(2 * hidden.count)", inputs: output.inputs, outputs: outputs, isOutput: true)
        output.initialize(&random)
    }

    /// Drops the last outputs, with what training keeps of them.
    func truncateOutput(to outputs: Int) {
        guard outputs < output.outputs else { return }
        let old = output
        output = Linear(
            "\(name).layers.\(2 * hidden.count)", inputs: old.inputs, outputs: outputs, isOutput: true)
        for (new, old) in zip(output.parameters, old.parameters) { new.takeFirst(of: old) }
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        let values = hidden.reduce(input) { values, layer in
            layer.rectifier.forward(layer.linear.forward(values, pass), pass)
        }
        return output.forward(values, pass)
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        var gradient = output.backward(
            gradient, pass, wantsInputGradient: wantsInputGradient || !hidden.isEmpty)
        for (i, layer) in hidden.enumerated().reversed() {
            let raw = layer.rectifier.backward(gradient!, pass, wantsInputGradient: true)!
            gradient = layer.linear.backward(raw, pass, wantsInputGradient: wantsInputGradient || i > 0)
        }
        return gradient
    }

    /// The output layer's own gradient: all that a stage with the rest frozen needs.
    func backwardOutput(_ gradient: Tensor, _ pass: Pass) {
        _ = output.backward(gradient, pass, wantsInputGradient: false)
    }
}
