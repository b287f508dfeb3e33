/// One training step for one batch size in one stage, written once and run for every such batch.
final class TrainingStep {
    let program = Program()
    let embeddings: Tensor
    let loss: InfoNCE?

    /// - Parameter stage: nil for a step that stops at the embeddings, with the layers as they are.
    init(
        model: Model, stage: Stage?, source: ImageSource, seed: UInt64, batch: Batch, count: Int,
        workspace: Workspace
    ) {
        workspace.reset()
        let trainsAll = stage?.trained == .all
        let one = source.shape
        let pass = Pass(
            program: program, workspace: workspace, usesBatchStatistics: true, keepsInputs: trainsAll,
            remakesOutputs: trainsAll
                && model.backbone.keepsMuch(views: 2 * count, height: one.height, width: one.width))
        let views = workspace.tensor(Shape(2 * count, one.height, one.width, one.channels))
        program.add("views", slices: 2 * count, scratch: source.scratchCount) { slice, scratch in
            source.makeView(
                slice / count, of: slice % count, batch, seed: seed, into: views.pointer + slice * one.count,
                scratch: scratch)
        }
        model.normalize(views, pass)
        let features = model.backbone.forward(views, pass)
        embeddings = model.head.forward(features, pass)
        guard let stage else {
            loss = nil
            return
        }
        program.mark(.embeddings)
        let gradient = workspace.tensor(embeddings.shape)
        let loss = InfoNCE(metric: stage.metric, temperature: stage.temperature)
        loss.write(into: program, workspace: workspace, embeddings: embeddings, gradient: gradient)
        self.loss = loss
        if trainsAll {
            let inner = model.head.backward(gradient, pass, wantsInputGradient: true)!
            _ = model.backbone.backward(inner, pass, wantsInputGradient: false)
        } else {
            model.head.backwardOutput(gradient, pass)
        }
    }
}
