/// ResNet for small images: 3×3 stem with stride 1, no max-pooling, four stages of basic blocks with
/// 1, 2, 4, 8 times the base width and strides 1, 2, 2, 2; global average pooling.
public final class ResNet: Layer {
    /// Channels of the features.
    public let features: Int
    private let stem: ConvolutionLayer
    private let stemNormalization: BatchNormalization
    private let blocks: [BasicBlock]
    private let pooling = GlobalAveragePooling()

    /// - Parameters:
    ///   - depth: 10 or 18.
    ///   - channels: of the images.
    public init(_ name: String, depth: Int, baseWidth: Int, channels: Int) {
        stem = ConvolutionLayer("\(name).conv1", inputs: channels, outputs: baseWidth, kernel: 3, stride: 1)
        stemNormalization = BatchNormalization("\(name).bn1", channels: baseWidth, rectifies: true)
        var blocks: [BasicBlock] = []
        var inputs = baseWidth
        for stage in 0..<4 {
            let outputs = baseWidth << stage
            for index in 0..<(depth == 18 ? 2 : 1) {
                blocks.append(
                    BasicBlock(
                        "\(name).layer\(stage + 1).\(index)", inputs: inputs, outputs: outputs,
                        stride: stage > 0 && index == 0 ? 2 : 1))
                inputs = outputs
            }
        }
        self.blocks = blocks
        features = inputs
    }

    var normalizations: [BatchNormalization] { [stemNormalization] + blocks.flatMap(\.normalizations) }

    public var parameters: [Parameter] {
        stem.parameters + stemNormalization.parameters + blocks.flatMap(\.parameters)
    }

    func initialize(_ random: inout RandomNumbers) {
        stem.initialize(&random)
        for convolution in blocks.flatMap(\.convolutions) { convolution.initialize(&random) }
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        var value = stemNormalization.forward(stem.forward(input, pass), pass)
        pass.releaseUnlessKept(input)
        for block in blocks {
            let next = block.forward(value, pass)
            pass.releaseUnlessKept(value)
            value = next
        }
        let pooled = pooling.forward(value, pass)
        pass.releaseUnlessKept(value)
        return pooled
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        var gradient = pooling.backward(gradient, pass, wantsInputGradient: true)!
        for block in blocks.reversed() {
            gradient = block.backward(gradient, pass, wantsInputGradient: true)!
        }
        let raw = stemNormalization.backward(gradient, pass, wantsInputGradient: true)!
        return stem.backward(raw, pass, wantsInputGradient: wantsInputGradient)
    }
}
