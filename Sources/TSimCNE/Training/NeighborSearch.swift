/// Finds ``Neighbors``: all images go through the backbone, then all features are compared, unless the
/// neighbours are known by then. It stops and goes on like a step of training.
final class NeighborSearch {
    enum Stop { case timeIsOver, batchWanted, featuresFound, end }

    let neighbors: Neighbors
    private let model: Model
    private let source: ImageSource
    private let batch: Batch
    /// Features (images × features) of the images themselves, with running statistics.
    let features: AlignedBuffer
    private let workspace = Workspace()
    /// The program of the chunk that is mapped, with where its features will be.
    private var mapping: (program: Program, result: Tensor)?
    private var comparison: Program?
    private var mapped = 0
    private var saidFeatures = false

    init(model: Model, source: ImageSource, batch: Batch, count: Int) {
        self.model = model
        self.source = source
        self.batch = batch
        neighbors = Neighbors(images: source.count, count: count)
        features = AlignedBuffer(count: source.count * model.features)
    }

    /// Bytes that a search takes from the system.
    static func plannedBytes(model: Model, source: ImageSource, count: Int, threads: Int) -> Int {
        let shape = source.shape
        let images = Shape(source.count, shape.height, shape.width, shape.channels)
        let (workspace, scratch) = model.planInference(.features, images)
        let floats = workspace.peak + scratch * threads + source.count * (model.features + 2)
        return floats * MemoryLayout<Float>.stride
            + Neighbors.bytes(images: source.count, count: count)
    }

    /// - Parameter isSupplied: whether the batch that was wanted is there.
    func advance(on pool: ThreadPool, until deadline: UInt64, isSupplied: Bool) -> Stop {
        var isSupplied = isSupplied
        while mapped < source.count {
            if mapping == nil { takeImages() }
            if source.isSupplied && !isSupplied { return .batchWanted }
            let (program, result) = mapping!
            guard program.advance(on: pool, until: deadline) == .end else { return .timeIsOver }
            keep(result)
            isSupplied = false
        }
        if !saidFeatures {
            saidFeatures = true
            return .featuresFound
        }
        if comparison == nil {
            if neighbors.areKnown { return .end }
            comparison = writeComparison()
        }
        return comparison!.advance(on: pool, until: deadline) == .end ? .end : .timeIsOver
    }

    private func takeImages() {
        batch.count = min(Model.batch, batch.capacity, source.count - mapped)
        batch.partners = 0
        for i in 0..<batch.count { batch.indices[i] = Int64(mapped + i) }
        let shape = source.shape
        mapping = model.writeInference(
            .features, Shape(batch.count, shape.height, shape.width, shape.channels), workspace
        ) { [source, batch] i, target in source.copyImage(i, of: batch, into: target) }
    }

    private func keep(_ result: Tensor) {
        let count = batch.count * model.features
        (features.pointer + mapped * model.features).update(from: result.pointer, count: count)
        mapped += batch.count
        mapping = nil
    }

    private func writeComparison() -> Program {
        // The features of a network are compared by their cosine, as in the loss that made them; vectors of
        // the caller's are compared as they are.
        let search = NearestNeighbors(
            rows: features.pointer, count: source.count, dimension: model.features,
            neighbors: neighbors.count, metric: model.backbone.parameters.isEmpty ? .distance : .cosine)
        let program = Program()
        program.keepAlive(features)
        program.keepAlive(neighbors)
        search.write(into: program, table: neighbors.table)
        return program
    }
}
