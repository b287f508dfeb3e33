/// A backbone that is composed of layers; the mean of their result over the plane is the features.
public final class LayeredBackbone: Backbone {
    public let features: Int
    let wideChannels: Int
    private let layers: Chain
    /// How many of the layers make the wide plane.
    private let early: Int
    private let pooling = GlobalAveragePooling()
    private var last: Tensor?

    public var parameters: [Parameter] { layers.parameters }
    public var normalizations: [BatchNormalization] { layers.normalizations }

    /// - Parameters:
    ///   - name: what the layers' names begin with.
    ///   - layers: a list of at least one layer.
    ///   - channels: the images' channels.
    public init(_ name: String, _ layers: [NamedLayer], channels: Int) {
        features = layers.outputs(inputs: channels)
        let first = Array(layers[..<layers.wideCount])
        let rest = Array(layers[layers.wideCount...])
        wideChannels = first.outputs(inputs: channels)
        let early = first.built(name, inputs: channels).layers
        self.early = early.count
        self.layers = Chain(early + rest.built(name, inputs: wideChannels).layers)
    }

    public func initialize(_ random: inout RandomNumbers) { layers.initialize(&random) }

    /// The layers keep what they need.
    func keepsMuch(views: Int, height: Int, width: Int) -> Bool { false }

    func forward(_ input: Tensor, _ pass: Pass, sees: (Tensor) -> Void) -> Tensor {
        let result = layers.forward(input, pass) { count, value in
            if count == early { sees(value) }
        }
        if result.pointer != input.pointer { pass.releaseUnlessKept(input) }
        last = result
        let pooled = pooling.forward(result, pass)
        pass.releaseUnlessKept(result)
        return pooled
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let inner = pooling.backward(gradient, pass, wantsInputGradient: true)!
        let result = layers.backward(inner, pass, wantsInputGradient: wantsInputGradient)
        pass.workspace.release(last!)
        return result
    }
}
