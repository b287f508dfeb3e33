/// A backbone that is composed of layers; the mean of their result over the plane is the features.
public final class LayeredBackbone: Backbone {
    public let features: Int
    let wideChannels: Int
    private let layers: Chain
    /// Those of the layers that make the wide plane.
    private let early: Chain
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
        early = first.built(name, inputs: channels)
        self.layers = Chain(early.layers + rest.built(name, inputs: wideChannels).layers)
    }

    public func initialize(_ random: inout RandomNumbers) { layers.initialize(&random) }

    /// The layers keep what they need.
    func keepsMuch(views: Int, height: Int, width: Int) -> Bool { false }

    func forwardToWidePlane(_ input: Tensor, _ pass: Pass) -> Tensor {
        let result = early.forward(input, pass)
        if result.pointer != input.pointer { pass.releaseUnlessKept(input) }
        return result
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        let result = layers.forward(input, pass)
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
