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
        /// A step was completed: parameters and running statistics have moved.
        case step
        case finished
    }

    public let model: Model
    public let stages: [Stage]
    public let source: ImageSource
    public let batchSize: Int

    /// Where training stands; an event speaks of these.
    public private(set) var stage = 0
    public private(set) var epoch = 0
    public private(set) var step = 0
    /// Of the last completed step.
    public private(set) var loss = 0.0
    public private(set) var learningRate = 0.0

    public struct Position: Equatable, Sendable {
        public let stage: Int
        public let epoch: Int
        public let step: Int
    }

    public var position: Position { Position(stage: stage, epoch: epoch, step: step) }
    /// Of the last completed step.
    public private(set) var finished = Position(stage: 0, epoch: 0, step: 0)

    private enum Phase { case beginStage, beginStep, wanting, starting, running, done }
    private var phase = Phase.beginStage
    private var isSupplied = false

    private let seed: UInt64
    private let pool: ThreadPool
    private var workspace = Workspace()
    private let batch: Batch
    private var order: [Int64]
    private var epochsBefore = 0
    private var steps: [Int: TrainingStep] = [:]
    /// Gives the outputs whose principal components a stage begins with.
    private var start: TrainingStep?

    public init(
        model: Model, stages: [Stage], source: ImageSource, batchSize: Int, seed: UInt64, pool: ThreadPool
    ) {
        self.model = model
        self.stages = stages
        self.source = source
        self.batchSize = min(batchSize, source.count)
        self.seed = seed
        self.pool = pool
        batch = Batch(
            capacity: self.batchSize, suppliedBytes: source.suppliedBytesPerImage * self.batchSize)
        order = Array(0..<Int64(source.count))
    }

    public var stepsPerEpoch: Int { (source.count + batchSize - 1) / batchSize }
    public var batchCount: Int { batch.count }
    public var batchIndices: UnsafePointer<Int64> { UnsafePointer(batch.indices) }
    /// (2 · batchCount × outputs), first views first; of the step that runs or ran last.
    public var embeddings: Tensor? { steps[batch.count]?.embeddings }
    /// The operations of that step, with the time they took.
    public var program: Program? { steps[batch.count]?.program }
    /// What the stage changes.
    public var trainedParameters: [Parameter] {
        stages[min(stage, stages.count - 1)].trained == .all
            ? model.parameters : model.head.output.parameters
    }

    /// Copies what ``Event/batchWanted`` asked for; `bytes` must be
    /// `source.suppliedBytesPerImage * batchCount`.
    public func supply(_ data: UnsafeRawPointer, bytes: Int) {
        UnsafeMutableRawPointer(batch.supplied!.pointer).copyMemory(from: data, byteCount: bytes)
        isSupplied = true
    }

    public var wantsBatch: Bool { phase == .wanting && !isSupplied }

    /// Drops the step that runs: nothing of it has reached the parameters or running statistics.
    public func abandon() {
        steps[batch.count]?.program.rewind()
        start?.program.rewind()
        if phase == .running || phase == .starting || phase == .wanting { phase = .beginStep }
    }

    /// Runs on to the next event, or until the clock passes `deadline` (``ThreadPool/now()``).
    public func advance(until deadline: UInt64 = .max) -> Event {
        OpenBLAS.singleThreaded {
            while true {
                if let event = proceed(until: deadline) { return event }
            }
        }
    }

    private func proceed(until deadline: UInt64) -> Event? {
        switch phase {
        case .done: return .finished
        case .beginStage:
            beginStage()
            phase = .beginStep
        case .beginStep:
            takeBatch()
            isSupplied = source.suppliedBytesPerImage == 0
            phase = .wanting
            if !isSupplied { return .batchWanted }
        case .wanting:
            if !isSupplied { return .batchWanted }
            phase = start == nil ? .running : .starting
        case .starting:
            guard start!.program.advance(on: pool, until: deadline) == .end else {
                return ThreadPool.now() >= deadline ? .more : nil
            }
            startFromPrincipalComponents()
            phase = .running
        case .running:
            switch steps[batch.count]!.program.advance(on: pool, until: deadline) {
            case .timeIsOver: return .more
            case .boundary(let boundary): return .boundary(boundary)
            case .end:
                commit()
                return .step
            }
        }
        return nil
    }

    private func beginStage() {
        let current = stages[stage]
        start = nil
        steps = [:]
        switch current.outputStart {
        case .keep: writeSteps()
        case .normal(let deviation):
            model.resetOutput(
                outputs: current.outputs, deviation: deviation, seed: seed &+ UInt64(stage))
            writeSteps()
        case .principal:
            start = TrainingStep(
                model: model, stage: nil, source: source, seed: seed, batch: batch, count: batchSize,
                workspace: workspace)
        }
    }

    private func startFromPrincipalComponents() {
        guard case .principal(let radius) = stages[stage].outputStart, let start else { return }
        var random = RandomNumbers(seed: seed &+ UInt64(stage), purpose: .outputLayer)
        model.head.replaceOutput(
            byPrincipalComponents: stages[stage].outputs, of: start.embeddings.pointer,
            count: 2 * batch.count, radius: radius, &random)
        self.start = nil
        writeSteps()
    }

    /// Writes the steps of a stage for both sizes of batches, and makes its optimiser fresh.
    private func writeSteps() {
        for parameter in model.parameters {
            parameter.momentum.pointer.update(repeating: 0, count: parameter.count)
        }
        workspace = Workspace(planned: plan(stages[stage]).workspace)
        for count in batchCounts {
            steps[count] = write(stages[stage], count: count, workspace)
            steps[count]!.program.prepare(for: pool)
        }
    }

    /// The full batch's size and the last one's of an epoch, the larger first.
    private var batchCounts: [Int] {
        Set([batchSize, source.count - (stepsPerEpoch - 1) * batchSize]).sorted(by: >)
    }

    private func write(_ stage: Stage, count: Int, _ workspace: Workspace) -> TrainingStep {
        TrainingStep(
            model: model, stage: stage, source: source, seed: seed, batch: batch, count: count,
            workspace: workspace)
    }

    /// Writes a stage's steps without memory, to learn how much they want.
    private func plan(_ stage: Stage) -> (workspace: Workspace, scratch: Int) {
        let workspace = Workspace.planning()
        let scratch = batchCounts.map { write(stage, count: $0, workspace).program.scratchCount }
        return (workspace, scratch.max()! * pool.threads)
    }

    /// Bytes that the steps of the first stage take from the system; those of later stages take about as
    /// much again, in its place.
    public func plannedBytes() -> Int {
        let (workspace, scratch) = plan(stages[0])
        return (workspace.peak + scratch) * MemoryLayout<Float>.stride
    }

    private func takeBatch() {
        let global = UInt64(epochsBefore + epoch)
        if step == 0 {
            for i in order.indices { order[i] = Int64(i) }
            var random = RandomNumbers(seed: seed, purpose: .order, epoch: global)
            random.shuffle(&order)
        }
        let first = step * batchSize
        batch.epoch = global
        batch.count = min(batchSize, order.count - first)
        for i in 0..<batch.count { batch.indices[i] = order[first + i] }
    }

    /// The step's only effect on the model: all of it, or none.
    private func commit() {
        let current = stages[stage]
        learningRate = current.schedule.rate(
            peak: current.learningRate, epoch: epoch, epochs: current.epochs, step: step,
            stepsPerEpoch: stepsPerEpoch)
        loss = steps[batch.count]!.loss!.loss
        let rate = Float(learningRate)
        let block = 32768
        for parameter in trainedParameters {
            _ = pool.run(count: (parameter.count + block - 1) / block) { slice, _ in
                let range = slice * block..<min(parameter.count, (slice + 1) * block)
                current.optimizer.update(parameter, range: range, learningRate: rate)
            }
        }
        for layer in model.normalizations { layer.updateRunningStatistics() }
        steps[batch.count]!.program.rewind()
        phase = .beginStep
        finished = position
        step += 1
        if step == stepsPerEpoch {
            step = 0
            epoch += 1
        }
        if epoch == current.epochs {
            epochsBefore += epoch
            epoch = 0
            stage += 1
            phase = stage == stages.count ? .done : .beginStage
        }
    }
}
