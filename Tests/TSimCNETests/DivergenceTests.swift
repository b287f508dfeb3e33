import Support
import Testing

@testable import TSimCNE

/// A step whose numbers are not finite is dropped, and training ends.
@Suite struct DivergenceTests {
    /// Goes on until training ends, and checks what it leaves: the bits after the last completed step.
    static func expectDivergence(_ trainer: Trainer, within steps: Int, supply: () -> Void = {}) {
        var saved = trainer.model.arrays.map(\.values)
        var event = Trainer.Event.more
        var count = 0
        while event != .diverged && event != .finished && count < steps {
            event = trainer.advance()
            if event == .batchWanted { supply() }
            if event == .step {
                count += 1
                saved = trainer.model.arrays.map(\.values)
            }
        }
        let progress = trainer.progress
        for _ in 0..<2 {
            #expect(event == .diverged)
            #expect(trainer.model.arrays.map(\.values) == saved && trainer.progress == progress)
            for (array, values) in zip(trainer.model.arrays, saved) {
                let isFinite = values.allSatisfy(\.isFinite)
                #expect(isFinite, "\(array.name) after \(count) steps")
            }
            trainer.abandon()
            event = trainer.advance()
        }
    }

    @Test(arguments: OptimizerReference.Method.allCases)
    func aHugeLearningRate(method: OptimizerReference.Method) {
        // Muon's matrices keep their length whatever the rate: without decay nothing grows beyond all.
        for decay: Float in method == .muon ? [1] : [0, 1] {
            var fixture = TrainingFixture(
                TrainingFixture.stage(
                    300, rate: 1e9, schedule: Schedule(.batch(warmup: 0)),
                    optimizer: OptimizerTests.optimizer(method, GradientRules(weightDecay: decay))))
            fixture.averageDecay = 0.9
            DivergenceTests.expectDivergence(fixture.trainer(TrainingFixture.model()), within: 300)
        }
    }

    @Test func notANumberInAnInput() {
        for (start, trained) in [
            (Stage.OutputStart.keep, TrainedPart.all), (.principal(radius: 3), .outputLayer),
            (.scaled(radius: 3), .head),
        ] {
            var fixture = TrainingFixture(
                TrainingFixture.stage(3), TrainingFixture.stage(3, 8, start, trained))
            fixture.source = .supplied(count: 18, height: 8, width: 9, channels: 3, .float32, nil)
            let trainer = fixture.trainer(TrainingFixture.model())
            DivergenceTests.expectDivergence(trainer, within: 6) {
                var batch = values(trainer.batchCount * 216, seed: 1)
                if trainer.stage == 1 { batch[5] = .nan }
                trainer.supply(batch, bytes: 4 * batch.count)
            }
            #expect(trainer.stage == 1 && trainer.progress.step == 0)
        }
    }

    @Test func aGradientThatACallerMakesInfinite() {
        for (value, ends) in [(Float.infinity, true), (.nan, true), (1e30, true), (1e4, false)] {
            let model = TrainingFixture.model()
            let trainer = TrainingFixture(TrainingFixture.stage(2)).trainer(model)
            let last = Program.Boundary.gradient(name: "backbone.conv1.weight")
            while trainer.advance() != .boundary(last) {}
            model.parameters[0].gradient.pointer[3] = value
            #expect(trainer.advance() == (ends ? .diverged : .step))
        }
    }

    @Test func trainingGoesOnFromAnEarlierStep() {
        let trainer = TrainingFixture(TrainingFixture.stage(4)).trainer(TrainingFixture.model())
        trainer.take(1)
        let (progress, saved) = (trainer.progress, trainer.saved())
        while trainer.advance() != .boundary(.embeddings) {}
        trainer.embeddings!.pointer[0] = .nan
        DivergenceTests.expectDivergence(trainer, within: 1)
        trainer.seek(progress)
        trainer.restore(saved)
        #expect(trainer.takeAll().count == 3)
    }
}
