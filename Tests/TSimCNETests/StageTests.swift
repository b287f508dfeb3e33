import Support
import Testing

@testable import TSimCNE

/// What stages begin with and what they change.
@Suite struct StageTests {
    /// Rows of a stage's first embeddings, about their mean.
    static func beginning(of start: Stage.OutputStart, outputs: Int) -> (mean: Double, radius: Double) {
        let trainer = TrainingFixture(
            TrainingFixture.stage(3, metric: .cosine), TrainingFixture.stage(2, outputs, start)
        ).trainer(TrainingFixture.model())
        trainer.take(3)
        while trainer.advance() != .boundary(.embeddings) {}
        let (rows, count) = (trainer.embeddings!.values, trainer.embeddings!.shape.images)
        #expect(count == 16 && rows.count == count * outputs)
        var (mean, square) = (0.0, 0.0)
        for d in 0..<outputs {
            let axis = (0..<count).map { Double(rows[$0 * outputs + d]) }
            let centre = axis.reduce(0, +) / Double(count)
            mean = max(mean, abs(centre))
            square += axis.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(count)
        }
        return (mean, square.squareRoot())
    }

    @Test(arguments: [
        (Stage.OutputStart.scaled(radius: 7), 8), (.scaled(radius: 0.01), 8), (.principal(radius: 7), 2),
        (.principal(radius: 0.5), 8),
    ])
    func outputsBeginAboutTheOriginWithTheRadius(start: Stage.OutputStart, outputs: Int) {
        let radius: Float
        switch start {
        case .scaled(let r), .principal(let r): radius = r
        default: radius = 0
        }
        let found = StageTests.beginning(of: start, outputs: outputs)
        #expect(found.mean < 1e-4 * Double(radius))
        #expect(abs(found.radius / Double(radius) - 1) < 1e-4)
    }

    @Test func scalingKeepsTheLayerUpToScale() {
        let model = TrainingFixture.model()
        let trainer = TrainingFixture(
            TrainingFixture.stage(2), TrainingFixture.stage(1, 8, .scaled(radius: 7))
        ).trainer(model)
        trainer.take(2)
        let before = model.head.output.weight.value.values
        while trainer.advance() != .boundary(.embeddings) {}
        let after = model.head.output.weight.value.values
        let scale = Double(after[0]) / Double(before[0])
        #expect(scale > 0 && abs(scale - 1) > 0.01)
        #expect(relativeError(after, before.map { Double($0) * scale }) < 1e-5)
    }

    @Test(arguments: [(TrainedPart.head, "projection_head"), (.outputLayer, "projection_head.layers.2")])
    func onlyWhatIsTrainedMoves(trained: TrainedPart, prefix: String) {
        let rules = GradientRules(weightDecay: 0.1)
        for optimizer in [TrainingFixture.sgd, Adam(rules: rules)] as [any Optimizer] {
            let model = TrainingFixture.model()
            let trainer = TrainingFixture(TrainingFixture.stage(3, 8, .keep, trained, optimizer: optimizer))
                .trainer(model)
            let before = model.arrays.map(\.values)
            trainer.takeAll()
            for (array, values) in zip(model.arrays, before) {
                let moves = array.kind == .buffer || array.name.hasPrefix(prefix)
                #expect((array.values != values) == moves, "\(array.name)")
            }
            let frozen = trainer.arrays.filter { $0.kind == .momentum && !$0.name.hasPrefix(prefix) }
            #expect(!frozen.isEmpty)
            for array in frozen {
                #expect(array.values.allSatisfy { $0 == 0 }, "\(array.name)")
            }
        }
    }

    @Test func theHeadMovesAsWhereAllIsTrained() {
        let results = [TrainedPart.all, .head].map { trained in
            let model = TrainingFixture.model()
            let trainer = TrainingFixture(TrainingFixture.stage(1, 8, .keep, trained)).trainer(model)
            trainer.takeAll()
            return model.head.parameters.map(\.value.values)
        }
        #expect(results[0] == results[1])
    }

    @Test func positionsCountStepsThroughACutEpoch() {
        let trainer = TrainingFixture(TrainingFixture.stage(4), TrainingFixture.stage(2))
            .trainer(TrainingFixture.model())
        var found: [Trainer.Position] = []
        while true {
            let event = trainer.advance()
            if event == .step { found.append(trainer.finished) }
            if event == .finished { break }
        }
        let wanted = [(0, 0, 0, 3), (0, 0, 1, 2), (0, 0, 2, 1), (0, 1, 0, 0), (1, 0, 0, 1), (1, 0, 1, 0)]
        #expect(
            found
                == wanted.map { Trainer.Position(stage: $0.0, epoch: $0.1, step: $0.2, left: $0.3) })
        #expect(trainer.progress.epochsBefore == 3)
    }

    /// Rates of a stage whose last steps are twice, and half, as many.
    @Test(arguments: [12, 3], [Schedule.Shape.cosine, .linear, .oneCycle])
    func aStretchedStageHasTheWholeSchedule(remaining: Int, shape: Schedule.Shape) {
        func rates(_ remaining: Int) -> [Double] {
            let schedule = Schedule(.batch(warmup: 0), shape: shape)
            let trainer = TrainingFixture(TrainingFixture.stage(8, rate: 1e-4, schedule: schedule))
                .trainer(TrainingFixture.model())
            trainer.take(2)
            trainer.stretch(remaining: remaining)
            return trainer.takeAll()
        }
        let (written, stretched) = (rates(6), rates(remaining))
        #expect(written.count == 6 && stretched.count == remaining)
        #expect(abs(stretched[0] / written[0] - 1) < 1e-12)
        #expect(zip(stretched, stretched[1...]).allSatisfy { $0 > $1 })
        #expect((stretched.last! < written.last!) == (remaining > 6))
        // The sum is one over a finer or coarser grid, up to half a step at its upper end.
        let ratio = 6 / Double(remaining)
        let area = (written.reduce(0, +) - written[0] / 2, stretched.reduce(0, +) - stretched[0] / 2)
        #expect(abs(area.1 * ratio / area.0 - 1) < 0.05)
    }
}
