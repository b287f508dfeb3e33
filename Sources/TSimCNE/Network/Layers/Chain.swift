/// Layers one after the other.
public final class Chain: Layer {
    let layers: [any Layer]
    /// What each layer made.
    private var values: [Tensor] = []

    public var parameters: [Parameter] { layers.flatMap(\.parameters) }
    public var normalizations: [BatchNormalization] { layers.flatMap(\.normalizations) }

    public init(_ layers: [any Layer]) { self.layers = layers }

    public func initialize(_ random: inout RandomNumbers) {
        for layer in layers { layer.initialize(&random) }
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor { forward(input, pass) { _, _ in } }

    /// Appends the forward pass; `sees` gets what so many layers have made, before the next one reads it.
    func forward(_ input: Tensor, _ pass: Pass, sees: (_ count: Int, _ value: Tensor) -> Void) -> Tensor {
        var value = input
        values = []
        sees(0, value)
        for layer in layers {
            let next = layer.forward(value, pass)
            // The input is the caller's, and of a layer that works in place nothing is to be given back.
            if !values.isEmpty, next.pointer != value.pointer { pass.releaseUnlessKept(value) }
            value = next
            values.append(next)
            sees(values.count, value)
        }
        return value
    }

    /// Gives back what the layers made, but for the last one's, which is the caller's.
    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        var gradient: Tensor? = gradient
        // Whether the gradient is through the rectifier of the block that comes next.
        var isMasked = false
        for (index, layer) in layers.enumerated().reversed() {
            if let block = layer as? ResidualBlock {
                if !isMasked { block.maskGradient(gradient!, pass) }
                // A block goes straight on through the rectifier of the one before.
                let upstream = index > 0 ? (layers[index - 1] as? ResidualBlock)?.asUpstream : nil
                gradient = block.backwardMasked(gradient!, upstream: upstream, pass)
                isMasked = upstream != nil
            } else {
                gradient = layer.backward(
                    gradient!, pass, wantsInputGradient: wantsInputGradient || index > 0)
            }
            let isLast = values[index].pointer == values.last!.pointer
            let isOfTheOneBefore = index > 0 && values[index].pointer == values[index - 1].pointer
            if !isLast, !isOfTheOneBefore { pass.workspace.release(values[index]) }
        }
        return gradient
    }
}
