/// How much memory training wants, known before any of it is taken.
extension Trainer {
    /// Images of a batch and, where a stage has neighbours, their partners.
    public static func batchCapacity(_ batchSize: Int, viewCount: Int, stages: [Stage]) -> Int {
        stages.contains { $0.neighbors > 0 } ? viewCount * batchSize : batchSize
    }

    /// Writes a stage's steps of so many images without memory, to learn how much they want; scratch memory is
    /// each thread's. Without a stage, those that stop at the embeddings.
    ///
    /// - Parameters:
    ///   - features: features that stand for views; an empty buffer will do.
    ///   - similarity: what decides how pairs are worked on, with a stage.
    func plan(
        _ stage: Stage?, _ counts: [Int], _ features: AlignedBuffer?, _ similarity: Similarity?
    ) -> (workspace: Workspace, scratch: Int) {
        let workspace = Workspace.planning()
        let scratch = counts.map {
            write(stage, count: $0, features, similarity, workspace).program.scratchCount
        }
        return (workspace, scratch.max()!)
    }

    /// Floats that a stage's steps want, with the scratch memory of so many threads.
    private func plannedFloats(_ stage: Stage, threads: Int) -> Int {
        let features = stage.readsFeatures ? AlignedBuffer(count: 0) : nil
        // The trainer may be in another stage.
        let similarity = Similarity(stage.metric, temperature: stage.temperature)
        func floats(_ counts: [Int]) -> Int {
            let (workspace, scratch) = plan(stage, counts, features, similarity)
            return workspace.peak + scratch * threads
        }
        // A step grows no more than its images do. One far beyond any memory is not written: there may be no
        // numbers for its sizes.
        let most = saturatingProduct(floats([1]), batchCounts[0])
        return most > Workspace.capacity / 16 ? most : floats(batchCounts)
    }

    /// Bytes for a stage that begins with more outputs than the model has now, which its steps are planned with.
    private func bytesOfMoreOutputs(_ stage: Stage, threads: Int) -> Int {
        let outputs = stage.outputs(inEpoch: 0)
        guard outputs > model.outputs else { return 0 }
        let loss = InfoNCE.plannedBytes(
            images: batchCounts[0], views: viewCount, dimension: outputs,
            Similarity(stage.metric, temperature: stage.temperature), threads: threads)
        return saturatingSum(loss, Parameter.bytes(count: (model.head.output.inputs + 1) * outputs))
    }

    /// Bytes that ``init(model:stages:source:batchSize:viewCount:shuffle:microBatch:shard:noise:averageDecay:precision:seed:pool:)``
    /// takes for the images of a batch, and for the order of all.
    public static func batchBytes(
        source: ImageSource, batchSize: Int, viewCount: Int, stages: [Stage]
    ) -> Int {
        let capacity = batchCapacity(batchSize, viewCount: viewCount, stages: stages)
        let index = MemoryLayout<Int64>.stride
        return saturatingSum(
            saturatingProduct(source.suppliedBytesPerImage(views: viewCount) + index, capacity),
            // Blocks are put in order before what is in them.
            saturatingProduct(2 * index, source.count))
    }

    /// Bytes that training takes from the system: the steps of the stage that wants most, as stages do so one
    /// after the other, and what is kept for each parameter.
    ///
    /// - Parameter threads: whose own scratch memory counts; nil for all of them.
    public func plannedBytes(threads: Int? = nil) -> Int {
        let threads = threads ?? pool.threads
        let values = model.parameters.reduce(0) { $0 + $1.value.count }
        let averages = averageDecay > 0 ? values : 0
        let kept = values * (stages.map { $0.optimizer.state.count }.max() ?? 0)
        var outputs = outputsBefore
        let steps: [Int] = stages.map { stage in
            let step = saturatingProduct(
                saturatingSum(
                    plannedFloats(stage, threads: threads), optimizerScratchCount(stage) * threads),
                MemoryLayout<Float>.stride)
            let search =
                stage.neighbors == 0
                ? 0
                : NeighborSearch.plannedBytes(
                    model: model, source: source, count: stage.neighbors, threads: threads)
            let start: Int
            if case .principal = stage.outputStart {
                start = PrincipalComponents.bytes(
                    outputs: outputs, inputs: model.head.output.inputs,
                    components: stage.outputs(inEpoch: 0))
            } else {
                start = 0
            }
            outputs = stage.outputs
            return saturatingSum(step, search, start, bytesOfMoreOutputs(stage, threads: threads))
        }
        return saturatingSum(steps.max()!, (averages + kept) * MemoryLayout<Float>.stride)
    }
}
