/// Trains a model through stages, a resumable step at a time.
///
/// Bits depend on data, model, seed, build and instruction-set level only: not on threads, nor on where
/// `advance` stopped.
public final class Trainer {
    public enum Event: Equatable, Sendable {
        /// The time is over.
        case more
        /// The images of ``batchIndices`` are to be supplied.
        case batchWanted
        case boundary(Program.Boundary)
        /// A stage begins that wants neighbours: the features of all images are there. Who writes the table of
        /// neighbours now spares the trainer its comparison of all with all.
        case featuresFound
        /// A stage begins that wants neighbours, which were found.
        case neighborsFound
        /// A stage has made its output layer from outputs.
        case outputStarted
        /// A step was completed: parameters and running statistics have moved.
        case step
        /// The loss, a gradient, a weight or a statistic is not finite: the step was dropped, and training cannot go on.
        case diverged
        case finished
    }

    public let model: Model
    public let stages: [Stage]
    public let source: ImageSource
    public let batchSize: Int
    /// Number of views of an image in a batch.
    public let viewCount: Int
    public let shuffle: Shuffle
    /// Images whose views go through the network together, where that is less than a batch.
    public let microBatch: Int
    /// The part of each batch that is worked on; where it is not all, the caller works out the loss of the
    /// whole one at ``Program/Boundary/embeddings``, and exchanges sums and gradients.
    public let shard: Shard
    public let noise: FeatureNoise
    /// Decay of the averages of parameters; 0 for none.
    public let averageDecay: Double
    /// What the factors of convolutions' products are rounded to in training; it must be available.
    public let precision: TrainingPrecision

    /// Where training stands; an event speaks of these.
    public internal(set) var progress: Progress
    public var stage: Int { progress.stage }
    public var epoch: Int { progress.step / stepsPerEpoch }
    /// The step's number within the epoch, from 0.
    public var step: Int { progress.step % stepsPerEpoch }
    /// Loss of the last completed step.
    public private(set) var loss = 0.0
    public private(set) var learningRate = 0.0

    public struct Position: Equatable, Sendable {
        public let stage: Int
        public let epoch: Int
        public let step: Int
        /// Steps left of the stage.
        public let left: Int
    }

    public var position: Position {
        Position(stage: stage, epoch: epoch, step: step, left: progress.steps - progress.step)
    }
    /// Position of the last completed step.
    public private(set) var finished = Position(stage: 0, epoch: 0, step: 0, left: 0)

    enum Phase { case beginStage, searching, beginStep, wanting, starting, running, diverged, done }
    var phase = Phase.beginStage
    private var isSupplied = false

    let seed: UInt64
    /// Outputs of the model before the first stage.
    let outputsBefore: Int
    let pool: ThreadPool
    var averages: [Average] = []
    private var workspace = Workspace()
    /// Scratch memory of each thread in updates.
    private(set) var optimizerScratch = AlignedBuffer(count: 0)
    private let batch: Batch
    /// The logarithm of the temperature, where a stage trains it.
    let temperature: Parameter?
    /// Similarity of the current stage.
    private var similarity = Similarity(.cauchy, temperature: 1)
    /// Degrees of freedom of ``Metric/studentT``, as they are now.
    public var degrees: Float { similarity.degrees }
    /// Order of the images in the epoch that was begun last.
    public private(set) var order: [Int64]
    private var steps: [Int: TrainingStep] = [:]
    /// The step that gives the outputs that a stage's output layer begins with.
    private var start: TrainingStep?
    private var principal: PrincipalComponents?
    var search: NeighborSearch?
    /// Neighbours of the current stage, if it wants them.
    var neighbors: Neighbors?
    var features: AlignedBuffer?

    public init(
        model: Model, stages: [Stage], source: ImageSource, batchSize: Int, viewCount: Int = 2,
        shuffle: Shuffle = Shuffle(), microBatch: Int = .max, shard: Shard = Shard(),
        noise: FeatureNoise = FeatureNoise(), averageDecay: Double = 0,
        precision: TrainingPrecision = .single, seed: UInt64, pool: ThreadPool
    ) {
        precondition(precision.isAvailable, "this processor has no products of \(precision)")
        self.model = model
        outputsBefore = model.outputs
        self.stages = stages
        self.source = source
        self.batchSize = min(batchSize, source.count)
        self.viewCount = viewCount
        self.shuffle = shuffle
        self.microBatch = microBatch
        self.shard = shard
        self.noise = noise
        self.averageDecay = averageDecay
        self.precision = precision
        self.seed = seed
        self.pool = pool
        temperature =
            stages.contains { $0.temperatureRate > 0 } ? Parameter("loss.log_temperature", shape: [1]) : nil
        progress = Progress(steps: stages[0].steps)
        batch = Batch(
            capacity: Trainer.batchCapacity(self.batchSize, viewCount: viewCount, stages: stages),
            suppliedBytesPerImage: source.suppliedBytesPerImage(views: viewCount))
        order = Array(0..<Int64(source.count))
    }

    /// A last batch of fewer images than there are shards is left out.
    public var stepsPerEpoch: Int {
        let (whole, rest) = source.count.quotientAndRemainder(dividingBy: batchSize)
        return whole + (rest > 0 && rest >= shard.count ? 1 : 0)
    }
    public var batchCount: Int { batch.count }
    /// Images that ``Event/batchWanted`` asks for: those of the batch, and their partners.
    public var batchIndexCount: Int { batch.indexCount }
    public var batchIndices: UnsafePointer<Int64> { UnsafePointer(batch.indices) }
    /// Embeddings (viewCount · batchCount × outputs) of the step that runs or ran last, first views first.
    public var embeddings: Tensor? { steps[batch.count]?.embeddings }
    /// The operations of that step, with the time they took.
    public var program: Program? { steps[batch.count]?.program }
    /// Where the loss's gradient with respect to the embeddings is, of the step that runs or ran last.
    public var embeddingGradient: Tensor? { steps[batch.count]?.gradient }
    /// Loss of the step that ran, before it reaches the parameters.
    var currentLoss: Double { steps[batch.count]!.loss?.loss ?? suppliedLoss }
    /// Loss that the caller supplies, of a batch of which this is a shard.
    public var suppliedLoss = 0.0
    /// What the stage changes.
    public var trainedParameters: [Parameter] {
        model.parameters(of: stages[min(stage, stages.count - 1)].trained)
    }

    /// Bytes that the caller supplies for the batch: its images and their partners, or all its views.
    public var suppliedBytes: Int {
        var isViews = false
        if case .views = source { isViews = true }
        return source.suppliedBytesPerImage(views: viewCount) * (isViews ? batchCount : batchIndexCount)
    }

    /// Copies what ``Event/batchWanted`` asked for; `bytes` must be ``suppliedBytes``.
    public func supply(_ data: UnsafeRawPointer, bytes: Int) {
        UnsafeMutableRawPointer(batch.supplied!.pointer).copyMemory(from: data, byteCount: bytes)
        isSupplied = true
    }

    public var wantsBatch: Bool {
        source.isSupplied && !isSupplied && (phase == .wanting || phase == .searching)
    }

    /// Drops the step that runs: nothing of it has reached the parameters or running statistics.
    public func abandon() {
        steps[batch.count]?.program.rewind()
        start?.program.rewind()
        isSupplied = false
        if phase == .running || phase == .starting || phase == .wanting { phase = .beginStep }
    }

    /// Runs on to the next event, or until the clock passes `deadline` (``ThreadPool/now()``).
    public func advance(until deadline: UInt64 = .max) -> Event {
        BLAS.singleThreaded {
            while true {
                if let event = proceed(until: deadline) { return event }
            }
        }
    }

    private func proceed(until deadline: UInt64) -> Event? {
        switch phase {
        case .done: return .finished
        case .diverged: return .diverged
        case .beginStage:
            if let search = makeSearch() {
                self.search = search
                isSupplied = false
                phase = .searching
                return nil
            }
            beginStage()
            phase = .beginStep
        case .searching:
            switch search!.advance(on: pool, until: deadline, isSupplied: isSupplied) {
            case .timeIsOver: return .more
            case .batchWanted:
                isSupplied = false
                return .batchWanted
            case .featuresFound: return .featuresFound
            case .end:
                take(search!)
                search = nil
                // A stage that another trainer began goes on.
                phase = progress.step > 0 ? .beginStep : .beginStage
                return .neighborsFound
            }
        case .beginStep:
            takeBatch()
            isSupplied = !source.isSupplied || features != nil
            phase = .wanting
            if !isSupplied { return .batchWanted }
        case .wanting:
            if !isSupplied { return .batchWanted }
            phase = start == nil ? .running : .starting
        case .starting:
            guard start!.program.advance(on: pool, until: deadline) == .end else {
                return ThreadPool.now() >= deadline ? .more : nil
            }
            guard startFromOutputs() else {
                phase = .diverged
                return .diverged
            }
            phase = .running
            return .outputStarted
        case .running:
            switch steps[batch.count]!.program.advance(on: pool, until: deadline) {
            case .timeIsOver: return .more
            case .boundary(let boundary): return .boundary(boundary)
            case .end:
                guard isFinite() else {
                    abandon()
                    phase = .diverged
                    return .diverged
                }
                commit()
                return .step
            }
        }
        return nil
    }

    /// Takes what a search has found, or will find.
    func take(_ search: NeighborSearch) {
        neighbors = search.neighbors
        features = stages[stage].readsFeatures ? search.features : nil
    }

    /// The search that the stage wants; nil where it wants no neighbours, or has them.
    func makeSearch() -> NeighborSearch? {
        let count = stages[stage].neighbors
        guard count > 0, neighbors == nil else { return nil }
        return NeighborSearch(model: model, source: source, batch: batch, count: count)
    }

    private func beginStage() {
        let current = stages[stage]
        start = nil
        steps = [:]
        switch current.outputStart {
        case .keep:
            model.head.truncateOutput(to: current.outputs(inEpoch: 0))
            beginSteps()
        case .normal(let deviation):
            model.resetOutput(
                outputs: current.outputs(inEpoch: 0), deviation: deviation, seed: seed &+ UInt64(stage))
            beginSteps()
        case .principal, .scaled: start = writeStart()
        }
    }

    /// What gives the outputs that the stage's output layer begins with, and their principal components where
    /// it begins with these.
    private func writeStart() -> TrainingStep {
        let count = batchCounts[0]
        takeMemory(for: plan(nil, [count], features, nil).workspace)
        let step = write(nil, count: count, features, nil, workspace)
        if case .principal = stages[stage].outputStart {
            principal = PrincipalComponents(
                rows: step.embeddings.pointer, count: viewCount * batchCounts[0],
                of: model.head.output, components: stages[stage].outputs(inEpoch: 0))
            principal!.write(into: step.program)
        }
        return step
    }

    /// Whether the outputs are finite; else the layer stays as it is.
    private func startFromOutputs() -> Bool {
        let outputs = start!.embeddings
        let rows = viewCount * batch.count
        guard outputs.values.allSatisfy(\.isFinite) else { return false }
        switch stages[stage].outputStart {
        case .principal(let radius):
            var random = RandomNumbers(seed: seed &+ UInt64(stage), purpose: .outputLayer)
            model.head.replaceOutput(outputs: stages[stage].outputs(inEpoch: 0), &random)
            principal!.write(into: model.head.output, radius: radius)
            principal = nil
        case .scaled(let radius):
            model.head.scaleOutput(of: outputs.pointer, count: rows, radius: radius)
        case .keep, .normal: break
        }
        start = nil
        beginSteps()
        return true
    }

    /// Writes the steps of a stage, and makes its optimiser and temperature fresh.
    func beginSteps() {
        let current = stages[stage]
        start = nil
        resetOptimizer(of: current)
        resetAverages()
        similarity = Similarity(
            current.metric, temperature: current.temperature,
            degrees: current.degrees(inEpoch: progress.writtenEpoch(stepsPerEpoch)))
        temperature?.fill(current.metric.logarithm(ofTemperature: current.temperature))
        writeSteps()
    }

    /// Gives back the memory of programs that will not run again before that of others is taken: there may not be
    /// enough for both.
    private func takeMemory(for plan: Workspace) {
        workspace = Workspace()
        workspace.prepare(for: plan)
    }

    /// Writes the steps of a stage for both sizes of batches.
    private func writeSteps() {
        steps = [:]
        takeMemory(for: plan(stages[stage], batchCounts, features, similarity).workspace)
        for count in batchCounts {
            steps[count] = write(stages[stage], count: count, features, similarity, workspace)
            steps[count]!.program.prepare(for: pool)
        }
        let scratch = pool.threads * optimizerScratchCount(stages[stage])
        if optimizerScratch.count != scratch { optimizerScratch = AlignedBuffer(count: scratch) }
    }

    /// Floats of scratch memory that a thread wants for updates of a stage; whole lines of the cache.
    func optimizerScratchCount(_ stage: Stage) -> Int {
        let most = model.parameters(of: stage.trained).map(stage.optimizer.scratchCount).max() ?? 0
        return (most + 15) / 16 * 16
    }

    func resetOptimizer(of stage: Stage) {
        for parameter in model.parameters + (temperature.map { [$0] } ?? []) {
            parameter.resetOptimizer(for: stage.optimizer)
        }
    }

    /// The full batch's size and the last one's of an epoch, the larger first.
    var batchCounts: [Int] {
        let last = min(batchSize, source.count - (stepsPerEpoch - 1) * batchSize)
        return Set([batchSize, last].map { shard.part(of: $0).count }).sorted(by: >)
    }

    func write(
        _ stage: Stage?, count: Int, _ features: AlignedBuffer?, _ similarity: Similarity?,
        _ workspace: Workspace
    ) -> TrainingStep {
        TrainingStep(
            StepViews(
                model: model, source: source, options: (stage ?? stages[self.stage]).views,
                viewCount: viewCount, noise: noise, precision: precision, seed: seed, batch: batch,
                count: count, features: features),
            stage: stage, microBatch: microBatch, isShard: shard.count > 1, similarity: similarity,
            temperature: (stage?.temperatureRate ?? 0) > 0 ? temperature : nil, workspace: workspace)
    }

    /// The epoch's number, counted over all stages.
    private var globalEpoch: UInt64 { UInt64(progress.epochsBefore + epoch) }

    /// The order of the current epoch.
    func makeOrder() {
        var random = RandomNumbers(seed: seed, purpose: .order, epoch: globalEpoch)
        shuffle.fill(&order, &random)
    }

    private func takeBatch() {
        if step == 0 { makeOrder() }
        let first = step * batchSize
        batch.epoch = globalEpoch
        let part = shard.part(of: min(batchSize, order.count - first))
        batch.count = part.count
        for i in 0..<batch.count { batch.indices[i] = order[first + part.lowerBound + i] }
        batch.partners = neighbors == nil ? 0 : viewCount - 1
        guard let neighbors else { return }
        for place in batch.count..<batch.indexCount {
            let (view, image) = (place / batch.count, Int(batch.indices[place % batch.count]))
            let partner = neighbors.pick(of: image, view: view, seed: seed, epoch: batch.epoch)
            batch.indices[place] = Int64(partner)
        }
    }

    /// The step's only effect on the model: all of it, or none.
    private func commit() {
        let current = stages[stage]
        learningRate = current.schedule.rate(
            peak: current.learningRate, progress: progress.position, steps: current.steps,
            stepsPerEpoch: stepsPerEpoch)
        loss = currentLoss
        updateParameters(current.optimizer)
        if features == nil {
            for layer in model.normalizations { layer.updateRunningStatistics() }
        }
        followAverages()
        steps[batch.count]!.program.rewind()
        phase = .beginStep
        finished = Position(
            stage: stage, epoch: epoch, step: step, left: progress.steps - progress.step - 1)
        progress.step += 1
        progress.position += progress.stride
        if progress.step == progress.steps {
            model.head.truncateOutput(to: current.outputs)
            endStage()
        } else {
            anneal()
        }
    }

    /// What an epoch of the stage as it was written brings that begins now.
    private func anneal() {
        let epoch = progress.writtenEpoch(stepsPerEpoch)
        similarity.degrees = stages[stage].degrees(inEpoch: epoch)
        let outputs = stages[stage].outputs(inEpoch: epoch)
        guard outputs < model.outputs else { return }
        model.head.truncateOutput(to: outputs)
        truncateAverages()
        writeSteps()
    }

    private func endStage() {
        var next = Progress(steps: 0)
        next.stage = stage + 1
        next.epochsBefore = progress.epochsBefore + (progress.step + stepsPerEpoch - 1) / stepsPerEpoch
        if next.stage < stages.count { next.steps = stages[next.stage].steps }
        progress = next
        neighbors = nil
        features = nil
        phase = next.stage == stages.count ? .done : .beginStage
    }
}
