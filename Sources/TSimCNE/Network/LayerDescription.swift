/// A layer of a backbone as it can be written down; ``LayeredBackbone`` is built from a list of them.
///
/// Convolutions and pooling are padded by half their kernel, so that only the stride makes a plane smaller.
public indirect enum LayerDescription: Sendable, Equatable {
    case convolution(channels: Int, kernel: Int, stride: Int = 1, hasBias: Bool = false)
    /// A convolution of each channel by itself; stride 1 or 2.
    case depthwise(kernel: Int, stride: Int = 1)
    case batchNormalization(epsilon: Float = 1e-5, momentum: Float = 0.1)
    case nonlinearity(Nonlinearity.Function)
    case maxPooling(kernel: Int, stride: Int)
    /// Two small layers with `channels` channels between them and a function after each.
    case squeezeExcitation(channels: Int, inner: Nonlinearity.Function, gate: Nonlinearity.Function)
    /// Layers and what is added to their result: that of other layers, or the input where there are none. With
    /// probability `drop` the layers are left out in training.
    case residual([NamedLayer], shortcut: [NamedLayer] = [], drop: Float = 0)
}

/// A layer and what its arrays' names begin with.
public struct NamedLayer: Sendable, Equatable {
    public var name: String
    public var layer: LayerDescription

    public init(_ name: String, _ layer: LayerDescription) {
        self.name = name
        self.layer = layer
    }
}

extension [NamedLayer] {
    /// Channels of what the layers make.
    public func outputs(inputs: Int) -> Int {
        reduce(inputs) { channels, named in
            switch named.layer {
            case .convolution(let outputs, _, _, _): return outputs
            case .residual(let layers, _, _): return layers.outputs(inputs: channels)
            default: return channels
            }
        }
    }

    /// By how much they make a plane smaller.
    private var stride: Int {
        reduce(1) { product, named in
            switch named.layer {
            case .convolution(_, _, let stride, _), .depthwise(_, let stride), .maxPooling(_, let stride):
                return product * stride
            case .residual(let layers, _, _): return product * layers.stride
            default: return product
            }
        }
    }

    /// Layers before the last one with a stride; all of them where only the first has one, or none.
    var wideCount: Int {
        let last = indices.last { self[$0..<$0 + 1].map { $0 }.stride > 1 } ?? 0
        return last > 0 ? last : count
    }

    /// The layers; a convolution, the normalisation after it and the function after that are one, and so are a
    /// depthwise convolution with what surrounds it and a ResNet's block.
    func built(_ prefix: String, inputs: Int) -> Chain {
        var layers: [any Layer] = []
        var channels = inputs
        var index = 0
        while index < count {
            let (name, description) = ("\(prefix).\(self[index].name)", self[index].layer)
            if let unit = normalizedDepthwise(at: index, prefix, inputs: channels) {
                layers.append(unit.layer)
                index += unit.count
            } else if let unit = normalizedConvolution(at: index, prefix, inputs: channels) {
                layers.append(unit.layer)
                index += unit.count
            } else if let block = residualBlock(at: index, prefix, inputs: channels) {
                layers.append(block)
                index += 2
            } else if case .batchNormalization(let epsilon, let momentum) = description {
                let function = function(at: index + 1)
                layers.append(
                    Normalization(
                        name, channels: channels, function: function, epsilon: epsilon, momentum: momentum))
                index += function == nil ? 1 : 2
            } else {
                layers.append(description.built(name, prefix, inputs: channels))
                index += 1
            }
            channels = Array(self[..<index]).outputs(inputs: inputs)
        }
        return Chain(layers)
    }

    private func function(at index: Int) -> Nonlinearity.Function? {
        guard index < count, case .nonlinearity(let function) = self[index].layer else { return nil }
        return function
    }

    private func normalizedConvolution(
        at index: Int, _ prefix: String, inputs: Int
    ) -> (layer: NormalizedConvolution, count: Int)? {
        guard index + 1 < count,
            case .convolution(let outputs, let kernel, let stride, false) = self[index].layer,
            [1, 3].contains(kernel), stride <= 2,
            case .batchNormalization(let epsilon, let momentum) = self[index + 1].layer
        else { return nil }
        let function = function(at: index + 2)
        let layer = NormalizedConvolution(
            "\(prefix).\(self[index].name)", normalization: "\(prefix).\(self[index + 1].name)",
            inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, function: function,
            epsilon: epsilon, momentum: momentum)
        return (layer, function == nil ? 2 : 3)
    }

    private func normalizedDepthwise(
        at index: Int, _ prefix: String, inputs: Int
    ) -> (layer: NormalizedDepthwise, count: Int)? {
        let widening = normalizedConvolution(at: index, prefix, inputs: inputs)
        let first = index + (widening?.count ?? 0)
        guard first + 1 < count, case .depthwise(let kernel, let stride) = self[first].layer,
            case .batchNormalization(let epsilon, let momentum) = self[first + 1].layer
        else { return nil }
        let channels = widening?.layer.normalization.channels ?? inputs
        let function = function(at: first + 2)
        let layer = NormalizedDepthwise(
            DepthwiseConvolutionLayer(
                "\(prefix).\(self[first].name)", channels: channels, kernel: kernel, stride: stride),
            BatchNormalization(
                "\(prefix).\(self[first + 1].name)", channels: channels, function: function, epsilon: epsilon,
                momentum: momentum),
            after: widening?.layer)
        return (layer, first - index + (function == nil ? 2 : 3))
    }

    /// A residual of normalised convolutions, and the rectifier after it.
    private func residualBlock(at index: Int, _ prefix: String, inputs: Int) -> ResidualBlock? {
        guard case .residual(let layers, let shortcut, drop: 0) = self[index].layer,
            function(at: index + 1) == .relu,
            let convolutions = layers.rectifiedConvolutions(prefix, inputs: inputs)
        else { return nil }
        if shortcut.isEmpty { return ResidualBlock(convolutions, shortcut: nil) }
        guard let side = shortcut.normalizedConvolution(at: 0, prefix, inputs: inputs),
            side.count == shortcut.count, side.layer.normalization.function == nil
        else { return nil }
        return ResidualBlock(convolutions, shortcut: side.layer)
    }

    /// Two or more convolutions with a rectifier after each but the last, which has that of a sum; nil where the
    /// layers are something else.
    private func rectifiedConvolutions(_ prefix: String, inputs: Int) -> [NormalizedConvolution]? {
        let layers = self + [NamedLayer("", .nonlinearity(.relu))]
        var (result, index): ([NormalizedConvolution], Int) = ([], 0)
        while index < layers.count {
            let channels = result.last?.normalization.channels ?? inputs
            guard let unit = layers.normalizedConvolution(at: index, prefix, inputs: channels),
                unit.layer.normalization.function == .relu
            else { return nil }
            result.append(unit.layer)
            index += unit.count
        }
        return result.count > 1 ? result : nil
    }
}

extension LayerDescription {
    /// The layer by itself; what a list of layers makes of its neighbours is not looked at.
    fileprivate func built(_ name: String, _ prefix: String, inputs: Int) -> any Layer {
        switch self {
        case .convolution(let outputs, let kernel, let stride, let hasBias):
            if [1, 3].contains(kernel), stride <= 2, !hasBias {
                return ConvolutionLayer(
                    name, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride)
            }
            return PatchConvolution(
                name, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, hasBias: hasBias)
        case .depthwise(let kernel, let stride):
            return DepthwiseConvolutionLayer(name, channels: inputs, kernel: kernel, stride: stride)
        case .batchNormalization(let epsilon, let momentum):
            return Normalization(name, channels: inputs, epsilon: epsilon, momentum: momentum)
        case .nonlinearity(let function): return Nonlinearity(function)
        case .maxPooling(let kernel, let stride): return MaxPooling(kernel: kernel, stride: stride)
        case .squeezeExcitation(let channels, let inner, let gate):
            return SqueezeExcitation(name, channels: inputs, squeezed: channels, inner: inner, gate: gate)
        case .residual(let layers, let shortcut, let drop):
            return Residual(
                layers.built(prefix, inputs: inputs),
                shortcut: shortcut.isEmpty ? nil : shortcut.built(prefix, inputs: inputs), drop: drop)
        }
    }
}
