import Support
import Testing

@testable import TSimCNE

/// A run that stops anywhere and goes on in a new trainer has the bits of one that does not.
@Suite struct ResumeTests {
    /// Twelve steps: an epoch that is cut short, every optimiser, every start of an output layer.
    static let fixture: TrainingFixture = {
        let rules = GradientRules(weightDecay: 0.01, decaysBiases: false)
        var fixture = TrainingFixture(
            TrainingFixture.stage(4, metric: .cosine, optimizer: Adam(rules: rules)),
            TrainingFixture.stage(
                3, 2, .principal(radius: 3), .outputLayer, optimizer: LARS(momentum: 0.9, rules: rules)),
            TrainingFixture.stage(
                2, 3, .normal(deviation: 1), .head,
                optimizer: SGD(momentum: 0.9, isNesterov: true, rules: rules)),
            TrainingFixture.stage(3, 3, .scaled(radius: 5), optimizer: Muon(momentum: 0.9, rules: rules)))
        fixture.stages[0].neighbors = 3
        fixture.stages[1].neighbors = 4
        fixture.stages[1].readsFeatures = true
        fixture.stages[3].neighbors = 20
        fixture.views = 3
        fixture.averageDecay = 0.9
        fixture.noise = FeatureNoise(deviation: 0.1)
        return fixture
    }()

    static let whole: [String: [Float]] = {
        let trainer = fixture.trainer(TrainingFixture.model())
        trainer.takeAll()
        return trainer.saved()
    }()

    @Test(arguments: 0...12)
    func aNewTrainerGoesOnFromAnyStep(steps: Int) {
        let first = ResumeTests.fixture.trainer(TrainingFixture.model())
        first.take(steps)
        let (progress, saved) = (first.progress, first.saved())
        // Whatever is not restored would show.
        let second = ResumeTests.fixture.trainer(
            TrainingFixture.model(seed: steps == 0 ? 1 : 2), threads: 1 + steps % 3)
        second.seek(progress)
        #expect(second.progress == progress)
        #expect(Set(second.saved().keys) == Set(saved.keys))
        second.restore(saved)
        #expect(second.saved() == saved)
        second.takeAll()
        #expect(second.saved() == ResumeTests.whole)
    }

    @Test(arguments: [0, 2, 4, 5, 9, 10])
    func theSameTrainerGoesBack(steps: Int) {
        let trainer = ResumeTests.fixture.trainer(TrainingFixture.model())
        trainer.take(steps)
        let (progress, saved) = (trainer.progress, trainer.saved())
        trainer.take(3)
        while trainer.advance() != .boundary(.embeddings), trainer.progress.stage < 4 {}
        trainer.seek(progress)
        trainer.restore(saved)
        trainer.takeAll()
        #expect(trainer.saved() == ResumeTests.whole)
    }

    @Test func progressInTheMiddleOfAStepIsThatBeforeIt() {
        let trainer = ResumeTests.fixture.trainer(TrainingFixture.model())
        trainer.take(5)
        let (before, saved) = (trainer.progress, trainer.saved())
        #expect(before.stage == 1 && before.step == 1 && before.epochsBefore == 2)
        while trainer.advance() != .boundary(.embeddings) {}
        #expect(trainer.progress == before)
        #expect(trainer.saved() == saved)
    }

    @Test func aStretchedRunIsReplayedByTheSameCalls() {
        /// Stretches a stage under way, one that is to come, and one in its warm-up.
        func run(_ trainer: Trainer) -> [Double] {
            var rates: [Double] = []
            for (steps, remaining) in [(2, 5), (5, 1), (1, 4)] {
                for _ in 0..<steps {
                    trainer.take(1)
                    rates.append(trainer.learningRate)
                }
                trainer.stretch(remaining: remaining)
            }
            return rates + trainer.takeAll()
        }
        let first = ResumeTests.fixture.trainer(TrainingFixture.model())
        let rates = run(first)
        #expect(rates.count == 2 + 5 + 1 + 4 + 3)
        let second = ResumeTests.fixture.trainer(TrainingFixture.model(), threads: 3)
        #expect(run(second) == rates)
        #expect(first.saved() == second.saved())
    }

    @Test func aStretchedStageIsSoughtToo() {
        let first = ResumeTests.fixture.trainer(TrainingFixture.model())
        first.take(1)
        first.stretch(remaining: 7)
        first.take(3)
        let second = ResumeTests.fixture.trainer(TrainingFixture.model(seed: 2), threads: 1)
        second.seek(first.progress)
        second.restore(first.saved())
        #expect(second.takeAll() == first.takeAll())
        #expect(second.saved() == first.saved())
    }
}
