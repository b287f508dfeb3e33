/// One training step for one batch size in one stage, written once and run for every such batch.
final class TrainingStep {
    let program = Program()
    let embeddings: Tensor
    let loss: InfoNCE?

    /// - Parameters:
    ///   - stage: nil for a step that stops at the embeddings, with the layers as they are.
    ///   - features: of all images, if they stand for views; an empty buffer will do to plan the step.
    ///   - similarity: of embeddings, with a stage.
    ///   - temperature: its logarithm, if that is trained.
    init(
        model: Model, stage: Stage?, source: ImageSource, options: Stage.Views, viewCount: Int,
        noise: FeatureNoise, seed: UInt64, batch: Batch, count: Int, features: AlignedBuffer?,
        similarity: Similarity?, temperature: Parameter?, workspace: Workspace
    ) {
        workspace.reset()
        let trainsAll = stage?.trained == .all && !model.backbone.parameters.isEmpty
        let rows = viewCount * count
        let one = features == nil ? source.viewShape(options.size) : Shape(rows: 1, columns: model.features)
        let pass = Pass(
            program: program, workspace: workspace, usesBatchStatistics: true, keepsInputs: trainsAll,
            remakesOutputs: trainsAll
                && model.backbone.keepsMuch(views: rows, height: one.height, width: one.width),
            chance: stage == nil
                ? nil
                : { row, place in
                    var random = RandomNumbers(
                        seed: seed, purpose: .drop, epoch: batch.epoch,
                        index: UInt64(batch.indices[row % count]), view: UInt32(row / count),
                        block: UInt32(place))
                    return random.uniform()
                })
        let views = workspace.tensor(Shape(rows, one.height, one.width, one.channels))
        if let features {
            program.keepAlive(features)
            program.add("features", slices: rows) { slice, _ in
                let image = Int(batch.indices[batch.place(ofView: slice / count, slice % count)])
                (views.pointer + slice * one.count).update(
                    from: features.pointer + image * one.count, count: one.count)
            }
        } else {
            program.add("views", slices: rows, scratch: source.scratchCount(options.size)) { slice, scratch in
                source.makeView(
                    slice / count, of: slice % count, batch, seed: seed, options,
                    into: views.pointer + slice * one.count, scratch: scratch)
            }
            model.normalize(views, pass)
        }
        if !noise.isNone {
            program.add("noise", slices: rows) { slice, _ in
                var random = RandomNumbers(
                    seed: seed, purpose: .noise, epoch: batch.epoch,
                    index: UInt64(batch.indices[slice % count]), view: UInt32(slice / count))
                noise.apply(to: views.pointer + slice * one.count, count: one.count, &random)
            }
        }
        let inputs = features == nil ? model.backbone.forward(views, pass) : views
        embeddings = model.head.forward(inputs, pass)
        guard let stage, let similarity else {
            loss = nil
            return
        }
        program.mark(.embeddings)
        let gradient = workspace.tensor(embeddings.shape)
        let loss = InfoNCE(similarity, views: viewCount, temperature: temperature)
        loss.write(into: program, workspace: workspace, embeddings: embeddings, gradient: gradient)
        self.loss = loss
        switch stage.trained {
        case .all where trainsAll:
            let inner = model.head.backward(gradient, pass, wantsInputGradient: true)!
            _ = model.backbone.backward(inner, pass, wantsInputGradient: false)
        case .all, .head:
            _ = model.head.backward(gradient, pass, wantsInputGradient: false)
        case .outputLayer:
            model.head.backwardOutput(gradient, pass)
        }
    }
}
