/// ResNet for small images: 3×3 stem with stride 1, no max-pooling, four stages of blocks with 1, 2, 4, 8 times
/// the base width and strides 1, 2, 2, 2; global average pooling.
public final class ResNet: Backbone {
    /// Channels of the features.
    public let features: Int
    private let stem: NormalizedConvolution
    private let blocks: [ResidualBlock]
    /// Blocks before the last level's, and the channels that they end with.
    private let wide: (blocks: Int, channels: Int)
    private let firstPlanes: Int
    private let pooling = GlobalAveragePooling()
    /// What each block reads, and the last one's output.
    private var values: [Tensor] = []

    /// - Parameters:
    ///   - name: what its layers' names begin with.
    ///   - depth: a key of ``depths``.
    ///   - baseWidth: channels of the first level, which every later one doubles.
    ///   - channels: the images' channels.
    public init(_ name: String, depth: Int, baseWidth: Int, channels: Int) {
        stem = NormalizedConvolution(
            "\(name).conv1", normalization: "\(name).bn1", inputs: channels, outputs: baseWidth, kernel: 3,
            stride: 1, function: .relu)
        let (kind, counts) = ResNet.depths[depth]!
        var blocks: [ResidualBlock] = []
        var inputs = baseWidth
        var wide = (blocks: 0, channels: 0)
        for stage in 0..<4 {
            wide = (blocks.count, inputs)
            let width = baseWidth << stage
            for index in 0..<counts[stage] {
                blocks.append(
                    ResidualBlock(
                        "\(name).layer\(stage + 1).\(index)", kind, inputs: inputs, width: width,
                        stride: stage > 0 && index == 0 ? 2 : 1))
                inputs = kind.expansion * width
            }
        }
        firstPlanes = max(14, 2 + counts[0] * (kind == .basic ? 6 : 14))
        self.blocks = blocks
        self.wide = wide
        features = inputs
    }

    /// Blocks of each stage, by the number of layers.
    public static let depths: [Int: (kind: ResidualBlock.Kind, counts: [Int])] = [
        10: (.basic, [1, 1, 1, 1]), 18: (.basic, [2, 2, 2, 2]), 34: (.basic, [3, 4, 6, 3]),
        50: (.bottleneck, [3, 4, 6, 3]), 101: (.bottleneck, [3, 4, 23, 3]),
    ]

    private var units: [NormalizedConvolution] { [stem] + blocks.flatMap(\.units) }
    public var normalizations: [BatchNormalization] { units.map(\.normalization) }
    public var parameters: [Parameter] { units.flatMap(\.parameters) }

    public func initialize(_ random: inout RandomNumbers) {
        for unit in units { unit.initialize(&random) }
    }

    var wideChannels: Int { wide.channels }

    func forward(_ input: Tensor, _ pass: Pass, sees: (Tensor) -> Void) -> Tensor {
        var value = stem.forward(input, pass)
        pass.releaseUnlessKept(input)
        // The stem is a hundredth of the network's work, and its output one of its largest tensors.
        if pass.remakesOutputs { stem.dropRaw(pass) }
        values = [value]
        for (index, block) in blocks.enumerated() {
            if index == wide.blocks { sees(value) }
            let next = block.forward(value, pass)
            if pass.remakesOutputs { pass.workspace.release(value) } else { pass.releaseUnlessKept(value) }
            value = next
            values.append(value)
        }
        let pooled = pooling.forward(value, pass)
        pass.releaseUnlessKept(value)
        return pooled
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        var gradient = pooling.backward(gradient, pass, wantsInputGradient: true)!
        blocks.last!.maskGradient(gradient, pass)
        pass.workspace.release(values.removeLast())
        for (index, block) in blocks.enumerated().reversed() {
            var read = values.removeLast()
            if pass.remakesOutputs { read = remakeInput(ofBlock: index, like: read, pass) }
            let upstream =
                index > 0
                ? blocks[index - 1].asUpstream
                : ResidualBlock.Upstream(normalization: stem.normalization, raw: stem.raw!, output: read)
            gradient = block.backwardMasked(gradient, upstream: upstream, pass)
            pass.workspace.release(read)
        }
        return stem.backwardMasked(gradient, sink: wantsInputGradient ? .plain : nil, pass)
    }

    /// Appends what block `index` reads, made again from what convolutions have left.
    private func remakeInput(ofBlock index: Int, like value: Tensor, _ pass: Pass) -> Tensor {
        let memory = pass.workspace.tensor(value.shape)
        // Work begins at the last place where no input is needed: the stem, or a block with a shortcut
        // convolution.
        let first = blocks[..<index].lastIndex { $0.hasShortcutConvolution }
        if first == nil {
            stem.remakeRaw(pass)
            stem.normalization.addOutput(of: stem.raw!, residual: nil, into: memory, pass)
        }
        for block in blocks[(first ?? 0)..<index] { block.remakeOutput(in: memory, pass) }
        // Its plane would be kept until the stem's own backward pass, through the widest part of the network.
        if first == nil && index > 0 { stem.dropRaw(pass) }
        blocks[index].moveInput(to: memory)
        return memory
    }

    /// Whether a step of `views` views would keep more than a gigabyte for the backward pass: of a ResNet-18
    /// fourteen planes of the first stage, of which nine are convolutions' and the others can be made from them.
    func keepsMuch(views: Int, height: Int, width: Int) -> Bool {
        let plane = views * height * width * stem.normalization.channels * MemoryLayout<Float>.size
        return firstPlanes * plane > 1 << 30
    }
}
