import Support
import Testing

@testable import TSimCNE

/// One stage whose output dimension, degrees of freedom and temperature change.
@Suite struct AnnealingTests {
    /// Three epochs of three steps, the last one cut short.
    static let fixture: TrainingFixture = {
        let rules = GradientRules(weightDecay: 0.01)
        var stage = TrainingFixture.stage(
            8, 2, metric: .studentT,
            optimizer: Adam(isDecoupled: false, keepsMaxima: true, rules: rules))
        stage.temperatureRate = 10
        stage.degrees = 3
        stage.annealing = Stage.Annealing(outputs: [8, 5, 2], degrees: [2, 1])
        var fixture = TrainingFixture(stage, TrainingFixture.stage(2, 2, metric: .cosine))
        fixture.averageDecay = 0.9
        return fixture
    }()

    @Test func outputsFallWhenAnEpochBegins() {
        let trainer = AnnealingTests.fixture.trainer(TrainingFixture.model())
        var seen: [Int] = []
        for _ in 0..<8 {
            while trainer.advance() != .boundary(.embeddings) {}
            seen.append(trainer.embeddings!.shape.channels)
            trainer.take(1)
        }
        #expect(seen == [8, 8, 8, 5, 5, 5, 2, 2])
        #expect(trainer.model.outputs == 2)
    }

    /// What is left of the layer, its average and what the optimiser keeps, is what was there.
    @Test func theFirstOutputsStay() {
        let annealed = AnnealingTests.fixture.trainer(TrainingFixture.model())
        var stages = AnnealingTests.fixture.stages
        stages[0].annealing.outputs = []
        stages[0].outputs = 8
        var whole = AnnealingTests.fixture
        whole.stages = [stages[0]]
        let other = whole.trainer(TrainingFixture.model())
        // As the third step ends, outputs are dropped.
        annealed.take(3)
        other.take(3)
        let (cut, full) = (annealed.saved(), other.saved())
        #expect(Set(cut.keys) == Set(full.keys))
        for (name, values) in cut {
            #expect(values == Array(full[name]!.prefix(values.count)), "\(name)")
        }
        #expect(cut.values.map(\.count).reduce(0, +) < full.values.map(\.count).reduce(0, +))
    }

    @Test func theTemperatureIsTrainedAndBeginsAnewInEachStage() {
        let trainer = AnnealingTests.fixture.trainer(TrainingFixture.model())
        let start = Metric.studentT.logarithm(ofTemperature: 1)
        trainer.take(1)
        #expect(trainer.temperature!.value.pointer[0] != start)
        trainer.take(7)
        let last = trainer.temperature!.value.pointer[0]
        trainer.take(1)
        #expect(trainer.temperature!.value.pointer[0] == Metric.cosine.logarithm(ofTemperature: 1))
        #expect(last != start && last.isFinite)
    }

    @Test(arguments: 0...10)
    func aNewTrainerGoesOnFromAnyStep(steps: Int) {
        let whole = AnnealingTests.fixture.trainer(TrainingFixture.model())
        whole.takeAll()
        let first = AnnealingTests.fixture.trainer(TrainingFixture.model())
        first.take(steps)
        let (progress, saved) = (first.progress, first.saved())
        let second = AnnealingTests.fixture.trainer(TrainingFixture.model(seed: steps == 0 ? 1 : 2))
        second.seek(progress)
        #expect(Set(second.saved().keys) == Set(saved.keys))
        second.restore(saved)
        second.takeAll()
        #expect(second.saved() == whole.saved())
    }
}
