/// One training step for one batch size in one stage, written once and run for every such batch.
///
/// The views of a micro-batch go through the network together. Where it is less than the batch, gradients are cached
/// (Gao et al. 2021): all views are embedded without keeping what a backward pass wants, the loss is that of all
/// embeddings, and each micro-batch goes through the network once more, with its rows of the loss's gradient. Batch
/// normalisation takes the statistics of the micro-batch; the running ones follow the last of them.
final class TrainingStep {
    let program: Program
    /// Embeddings of all views, first views first.
    let embeddings: Tensor
    /// The loss; nil where the caller works it out.
    let loss: InfoNCE?
    /// Gradient of the loss with respect to the embeddings.
    let gradient: Tensor?

    /// - Parameters:
    ///   - stage: the stage; nil for a step that stops at the embeddings, with the layers as they are.
    ///   - microBatch: the number of images that go through together; all of the batch where it is no less.
    ///   - isShard: whether it is a part of a larger batch: the loss and its gradient are the caller's.
    ///   - similarity: the similarity of embeddings, with a stage.
    ///   - temperature: the temperature's logarithm, if that is trained.
    init(
        _ views: StepViews, stage: Stage?, microBatch: Int, isShard: Bool, similarity: Similarity?,
        temperature: Parameter?,
        workspace: Workspace
    ) {
        workspace.reset()
        let writer = StepWriter(views, stage: stage, program: Program(), workspace: workspace)
        program = writer.program
        let isCut = views.features == nil && microBatch < views.count
        let parts = stride(from: 0, to: views.count, by: isCut ? microBatch : views.count).map {
            $0..<min(views.count, $0 + microBatch)
        }
        var pass: Pass?
        if isCut {
            embeddings = workspace.tensor(
                Shape(rows: views.viewCount * views.count, columns: views.model.outputs))
            for part in parts { writer.embed(part, into: embeddings) }
        } else {
            pass = writer.pass(keeps: writer.trainsAll)
            embeddings = writer.embed(0..<views.count, pass!)
        }
        guard let stage, let similarity else {
            (loss, gradient) = (nil, nil)
            return
        }
        program.mark(.embeddings)
        let gradient = workspace.tensor(embeddings.shape)
        self.gradient = gradient
        loss = isShard ? nil : InfoNCE(similarity, views: views.viewCount, temperature: temperature)
        loss?.write(into: program, workspace: workspace, embeddings: embeddings, gradient: gradient)
        if let pass {
            writer.backward(gradient, stage.trained, pass)
        } else {
            writer.backward(parts, gradient, stage.trained)
        }
    }
}
