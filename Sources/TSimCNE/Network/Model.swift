/// Backbone and projection head, with the normalisation of the pixels: what a fitted map consists of.
public final class Model {
    public struct Configuration: Sendable {
        public var channels: Int
        /// A ResNet's layers, of ``ResNet/depths``; 0: images of one pixel, whose channels are features.
        public var depth = 18
        public var baseWidth = 64
        /// Layers that take the place of a ResNet's, unless empty.
        public var layers: [NamedLayer] = []
        /// Widths of the head's hidden layers; none of a linear head.
        public var hidden = [1024]
        public var outputs = 128
        /// What is subtracted from pixels in [0, 1] and what they are divided by, per channel.
        public var normalization: (mean: [Float], deviation: [Float])?

        public init(channels: Int) { self.channels = channels }
    }

    public let configuration: Configuration
    let backbone: any Backbone
    public let head: ProjectionHead

    public init(_ configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        if !configuration.layers.isEmpty {
            backbone = LayeredBackbone("backbone", configuration.layers, channels: configuration.channels)
        } else if configuration.depth == 0 {
            backbone = IdentityBackbone(features: configuration.channels)
        } else {
            backbone = ResNet(
                "backbone", depth: configuration.depth, baseWidth: configuration.baseWidth,
                channels: configuration.channels)
        }
        head = ProjectionHead(
            "projection_head", inputs: backbone.features, hidden: configuration.hidden,
            outputs: configuration.outputs)
        var random = RandomNumbers(seed: seed, purpose: .weights)
        backbone.initialize(&random)
        head.initialize(&random)
    }

    public var outputs: Int { head.output.outputs }
    /// Whether images are feature vectors.
    public var readsVectors: Bool { configuration.layers.isEmpty && configuration.depth == 0 }
    public var features: Int { backbone.features }
    public var parameters: [Parameter] { backbone.parameters + head.parameters }
    /// What a stage changes.
    func parameters(of trained: TrainedPart) -> [Parameter] {
        switch trained {
        case .all: return parameters
        case .head: return head.parameters
        case .outputLayer: return head.output.parameters
        }
    }
    public var normalizations: [BatchNormalization] { backbone.normalizations }

    /// Makes a new output layer with the default bias and weights from N(0, deviation²).
    public func resetOutput(outputs: Int, deviation: Float, seed: UInt64) {
        var random = RandomNumbers(seed: seed, purpose: .outputLayer)
        head.replaceOutput(outputs: outputs, &random)
        head.output.weight.fillNormal(deviation: deviation, &random)
    }

    /// Appends the pixels' normalisation, in place.
    func normalize(_ input: Tensor, _ program: Program) {
        guard let (mean, deviation) = configuration.normalization else { return }
        let imageCount = input.count / max(1, input.shape.images)
        let channels = configuration.channels
        program.add("normalize pixels", slices: input.shape.images) { image, _ in
            let pixels = input.pointer + image * imageCount
            for i in 0..<imageCount {
                pixels[i] = (pixels[i] - mean[i % channels]) / deviation[i % channels]
            }
        }
    }

    public enum Output: Sendable {
        case map, features
        /// Means over parts of the backbone's wide plane, and after them the features.
        case levels
    }

    /// Numbers of an image's output.
    public func columns(of kind: Output) -> Int {
        switch kind {
        case .map: return outputs
        case .features: return features
        case .levels: return PartPooling.count * backbone.wideChannels + features
        }
    }

    /// Images that are mapped together: weights are transformed once for them, which takes as long as a
    /// dozen images. An image's result does not depend on it.
    static let batch = 256

    /// Memory that is kept from one call to the next: taking it from the system costs as much as a tenth of
    /// the work.
    private var inferenceWorkspace = Workspace()

    /// Takes another workspace and never frees the old one: for a forked process, where nobody knows how far the
    /// call was that used it.
    public func forgetWorkspace() {
        _ = Unmanaged.passRetained(inferenceWorkspace)
        inferenceWorkspace = Workspace()
    }

    /// The program that maps images of a shape with the running statistics of BatchNorm, and where the result
    /// will be; `read(i, target)` writes image i.
    func writeInference(
        _ kind: Output, _ shape: Shape, _ workspace: Workspace,
        read: @escaping (Int, UnsafeMutablePointer<Float>) -> Void
    ) -> (program: Program, result: Tensor) {
        let plan = Workspace.planning()
        _ = write(kind, shape, plan, read: read)
        workspace.prepare(for: plan)
        return write(kind, shape, workspace, read: read)
    }

    private func write(
        _ kind: Output, _ shape: Shape, _ workspace: Workspace,
        read: @escaping (Int, UnsafeMutablePointer<Float>) -> Void
    ) -> (program: Program, result: Tensor) {
        workspace.reset()
        let pass = Pass(
            program: Program(), workspace: workspace, usesBatchStatistics: false, keepsInputs: false)
        let input = workspace.tensor(shape)
        let imageCount = shape.count / shape.images
        pass.program.add("read images", slices: shape.images) { i, _ in
            read(i, input.pointer + i * imageCount)
        }
        normalize(input, pass.program)
        switch kind {
        case .features: return (pass.program, backbone.forward(input, pass))
        case .map: return (pass.program, head.forward(backbone.forward(input, pass), pass))
        case .levels: return (pass.program, appendLevels(input, pass))
        }
    }

    private func appendLevels(_ input: Tensor, _ pass: Pass) -> Tensor {
        let columns = columns(of: .levels)
        let result = pass.workspace.tensor(Shape(rows: input.shape.images, columns: columns))
        let seen = backbone.forward(input, pass) { PartPooling.append($0, into: result, pass.program) }
        let features = features
        pass.program.add("features after parts", slices: result.shape.images) { image, _ in
            let target = result.pointer + (image + 1) * columns - features
            target.update(from: seen.pointer + image * features, count: features)
        }
        pass.workspace.release(seen)
        return result
    }

    /// What mapping so many images of a shape takes: a workspace without memory, and floats of scratch memory
    /// for each thread.
    func planInference(_ kind: Output, _ images: Shape) -> (workspace: Workspace, scratch: Int) {
        let workspace = Workspace.planning()
        let whole = min(images.images, Model.batch)
        let scratch = Set([whole, images.images % whole]).subtracting([0]).map { count in
            let shape = Shape(count, images.height, images.width, images.channels)
            return write(kind, shape, workspace) { _, _ in }.program.scratchCount
        }
        return (workspace, scratch.max()!)
    }

    /// Maps images with the running statistics of BatchNorm.
    public func transform(
        _ images: ImageBatch, _ kind: Output, into output: UnsafeMutablePointer<Float>, pool: ThreadPool
    ) {
        transform(images, kind, into: output, pool: pool) { _ in }
    }

    /// Does the same, but asks `granted` before so many bytes are taken from the system; it may throw.
    public func transform(
        _ images: ImageBatch, _ kind: Output, into output: UnsafeMutablePointer<Float>, pool: ThreadPool,
        granted: (_ bytes: Int) throws -> Void
    ) rethrows {
        if images.count == 0 { return }
        let columns = columns(of: kind)
        let (planned, scratch) = planInference(
            kind, Shape(images.count, images.height, images.width, images.channels))
        let workspace = inferenceWorkspace
        let taken = workspace.holds(planned) ? 0 : planned.peak
        try granted((scratch * pool.threads + taken) * MemoryLayout<Float>.stride)
        var first = 0
        while first < images.count {
            let count = min(Model.batch, images.count - first)
            let start = first
            let shape = Shape(count, images.height, images.width, images.channels)
            let (program, result) = writeInference(kind, shape, workspace) { i, target in
                images.copy(start + i, into: target)
            }
            program.run(on: pool)
            (output + first * columns).update(from: result.pointer, count: count * columns)
            first += count
        }
    }
}
