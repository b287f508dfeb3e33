/// What the views of a step are made from.
struct StepViews {
    let model: Model
    let source: ImageSource
    let options: Stage.Views
    let viewCount: Int
    let noise: FeatureNoise
    let precision: TrainingPrecision
    let seed: UInt64
    let batch: Batch
    /// Images of the batch.
    let count: Int
    /// Features of all images, if they stand for views; an empty buffer will do to plan the step.
    let features: AlignedBuffer?

    /// Shape of one view.
    var shape: Shape {
        features == nil ? source.viewShape(options.size) : Shape(rows: 1, columns: model.features)
    }
}

/// Writes the passes of a step through the network.
struct StepWriter {
    private let views: StepViews
    let program: Program
    private let workspace: Workspace
    private let isTraining: Bool
    let trainsAll: Bool

    init(_ views: StepViews, stage: Stage?, program: Program, workspace: Workspace) {
        self.views = views
        self.program = program
        self.workspace = workspace
        isTraining = stage != nil
        trainsAll = stage?.trained == .all && !views.model.backbone.parameters.isEmpty
    }

    /// A pass of images of the batch, from `first` on, which are `count`.
    func pass(keeps: Bool, first: Int = 0, count: Int? = nil) -> Pass {
        let count = count ?? views.count
        let shape = views.shape
        let (seed, batch) = (views.seed, views.batch)
        return Pass(
            program: program, workspace: workspace, usesBatchStatistics: true, keepsInputs: keeps,
            remakesOutputs: keeps
                && views.model.backbone.keepsMuch(
                    views: views.viewCount * count, height: shape.height, width: shape.width),
            precision: views.precision,
            chance: isTraining
                ? { row, place in
                    var random = RandomNumbers(
                        seed: seed, purpose: .drop, epoch: batch.epoch,
                        index: UInt64(batch.indices[first + row % count]), view: UInt32(row / count),
                        block: UInt32(place))
                    return random.uniform()
                } : nil)
    }

    /// Appends views of images of the batch and their embeddings, first views first.
    func embed(_ images: Range<Int>, _ pass: Pass) -> Tensor {
        let input = makeViews(images)
        let inputs = views.features == nil ? views.model.backbone.forward(input, pass) : input
        return views.model.head.forward(inputs, pass)
    }

    private func makeViews(_ images: Range<Int>) -> Tensor {
        let (one, count) = (views.shape, images.count)
        let rows = views.viewCount * count
        let result = workspace.tensor(Shape(rows, one.height, one.width, one.channels))
        let (batch, source, options, seed) = (views.batch, views.source, views.options, views.seed)
        if let features = views.features {
            program.keepAlive(features)
            program.add("features", slices: rows) { slice, _ in
                let place = batch.place(ofView: slice / count, images.lowerBound + slice % count)
                (result.pointer + slice * one.count).update(
                    from: features.pointer + Int(batch.indices[place]) * one.count, count: one.count)
            }
        } else {
            program.add("views", slices: rows, scratch: source.scratchCount(options.size)) { slice, scratch in
                source.makeView(
                    slice / count, of: images.lowerBound + slice % count, batch, seed: seed, options,
                    into: result.pointer + slice * one.count, scratch: scratch)
            }
            views.model.normalize(result, program)
        }
        if !views.noise.isNone {
            program.add("noise", slices: rows) { [noise = views.noise] slice, _ in
                var random = RandomNumbers(
                    seed: seed, purpose: .noise, epoch: batch.epoch,
                    index: UInt64(batch.indices[images.lowerBound + slice % count]),
                    view: UInt32(slice / count))
                noise.apply(to: result.pointer + slice * one.count, count: one.count, &random)
            }
        }
        return result
    }

    /// Appends the embeddings of some images, of which nothing else is kept.
    func embed(_ images: Range<Int>, into embeddings: Tensor) {
        byItself {
            let own = embed(images, self.pass(keeps: false, first: images.lowerBound, count: images.count))
            copyRows(of: images, embeddings, own, isToPart: false)
        }
    }

    /// Appends what a stage trains from the gradient with respect to the embeddings.
    func backward(_ gradient: Tensor, _ trained: TrainedPart, _ pass: Pass) {
        let model = views.model
        switch trained {
        case .all where trainsAll:
            let inner = model.head.backward(gradient, pass, wantsInputGradient: true)!
            _ = model.backbone.backward(inner, pass, wantsInputGradient: false)
        case .all, .head:
            _ = model.head.backward(gradient, pass, wantsInputGradient: false)
        case .outputLayer:
            model.head.backwardOutput(gradient, pass)
        }
    }

    /// Appends the same for parts of the batch, one after the other, whose gradients add up.
    func backward(_ parts: [Range<Int>], _ gradient: Tensor, _ trained: TrainedPart) {
        let parameters = views.model.parameters(of: trained)
        let sums = parameters.map { workspace.tensor(Shape(rows: 1, columns: $0.count)) }
        for (number, images) in parts.enumerated() {
            byItself {
                let pass = self.pass(keeps: trainsAll, first: images.lowerBound, count: images.count)
                let own = embed(images, pass)
                let slope = workspace.tensor(own.shape)
                copyRows(of: images, gradient, slope, isToPart: true)
                backward(slope, trained, pass)
            }
            for (parameter, sum) in zip(parameters, sums) {
                let isFirst = number == 0
                program.add("sum of gradients", slices: 1) { _, _ in
                    let (from, to) = (parameter.gradient.pointer, sum.pointer)
                    for i in 0..<parameter.count { to[i] = isFirst ? from[i] : to[i] + from[i] }
                }
            }
        }
        for (parameter, sum) in zip(parameters, sums) {
            program.add("gradient", slices: 1) { _, _ in
                parameter.gradient.pointer.update(from: sum.pointer, count: parameter.count)
            }
            program.mark(.gradient(name: parameter.name))
        }
    }

    /// Writes a part that leaves no memory behind, and no boundaries: what it makes are no numbers of the batch's.
    private func byItself(_ body: () -> Void) {
        let mark = workspace.mark()
        program.marks = false
        body()
        program.marks = true
        workspace.release(since: mark)
    }

    /// Appends a copy of some images' rows, between all of the batch and those of a part.
    private func copyRows(of images: Range<Int>, _ whole: Tensor, _ part: Tensor, isToPart: Bool) {
        let (columns, total) = (whole.shape.channels, views.count)
        program.add("rows of a part", slices: views.viewCount) { view, _ in
            let all = whole.pointer + (view * total + images.lowerBound) * columns
            let own = part.pointer + view * images.count * columns
            let count = images.count * columns
            if isToPart { own.update(from: all, count: count) } else { all.update(from: own, count: count) }
        }
    }
}
