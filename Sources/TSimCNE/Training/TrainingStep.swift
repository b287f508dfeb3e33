/// One training step for one batch size in one stage, written once and run for every such batch.
///
/// The views of a micro-batch go through the network together. Where it is less than the batch, gradients are cached
/// (Gao et al. 2021): all views are embedded without keeping what a backward pass wants, the loss is that of all
/// embeddings, and each micro-batch goes through the network once more, with its rows of the loss's gradient. Batch
/// normalisation takes the statistics of the micro-batch; the running ones follow the last of them.
final class TrainingStep {
    let program: Program
    /// Of all views, first views first.
    let embeddings: Tensor
    let loss: InfoNCE?

    /// - Parameters:
    ///   - stage: nil for a step that stops at the embeddings, with the layers as they are.
    ///   - microBatch: images; all of the batch where it is no less.
    ///   - similarity: of embeddings, with a stage.
    ///   - temperature: its logarithm, if that is trained.
    init(
        _ views: StepViews, stage: Stage?, microBatch: Int, similarity: Similarity?, temperature: Parameter?,
        workspace: Workspace
    ) {
        workspace.reset()
        let writer = StepWriter(views, stage: stage, program: Program(), workspace: workspace)
        program = writer.program
        guard views.features == nil, microBatch < views.count else {
            let pass = writer.pass(keeps: writer.trainsAll)
            embeddings = writer.embed(0..<views.count, pass)
            guard let stage, let similarity else {
                loss = nil
                return
            }
            program.mark(.embeddings)
            let loss = InfoNCE(similarity, views: views.viewCount, temperature: temperature)
            self.loss = loss
            let gradient = workspace.tensor(embeddings.shape)
            loss.write(into: program, workspace: workspace, embeddings: embeddings, gradient: gradient)
            writer.backward(gradient, stage.trained, pass)
            return
        }
        let images = stride(from: 0, to: views.count, by: microBatch).map {
            $0..<min(views.count, $0 + microBatch)
        }
        embeddings = workspace.tensor(
            Shape(rows: views.viewCount * views.count, columns: views.model.outputs))
        for part in images { writer.embed(part, into: embeddings) }
        guard let stage, let similarity else {
            loss = nil
            return
        }
        program.mark(.embeddings)
        let loss = InfoNCE(similarity, views: views.viewCount, temperature: temperature)
        self.loss = loss
        let gradient = workspace.tensor(embeddings.shape)
        loss.write(into: program, workspace: workspace, embeddings: embeddings, gradient: gradient)
        writer.backward(images, gradient, stage.trained)
    }
}
