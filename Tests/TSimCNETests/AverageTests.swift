import Support
import Testing

@testable import TSimCNE

@Suite struct AverageTests {
    static func trainer(_ model: Model, decay: Double) -> Trainer {
        var fixture = TrainingFixture(TrainingFixture.stage(6), TrainingFixture.stage(3))
        fixture.averageDecay = decay
        return fixture.trainer(model)
    }

    @Test(arguments: [0.2, 0.999])
    func averagesEqualTheFormulaAndBeginWithEachStage(decay: Double) {
        let model = TrainingFixture.model()
        let trainer = AverageTests.trainer(model, decay: decay)
        for steps in [6, 3] {
            var wanted = model.arrays.map { doubles($0.values) }
            for n in 0..<steps {
                trainer.take(1)
                let kept = min(decay, Double(1 + n) / Double(10 + n))
                for (i, array) in model.arrays.enumerated() {
                    wanted[i] = zip(wanted[i], array.values).map { kept * $0 + (1 - kept) * Double($1) }
                }
                let averages = trainer.arrays.filter { $0.kind == .average }
                #expect(averages.map(\.name) == model.arrays.map(\.name))
                #expect(averages.map(\.shape) == model.arrays.map(\.shape))
                for (average, values) in zip(averages, wanted) {
                    #expect(relativeError(average.values, values) < 1e-5, "\(average.name)")
                }
            }
        }
    }

    @Test func exchangingTwiceRestoresBits() {
        let model = TrainingFixture.model()
        let trainer = AverageTests.trainer(model, decay: 0.9)
        trainer.take(4)
        let live = model.arrays.map(\.values)
        let averages = trainer.arrays.filter { $0.kind == .average }.map(\.values)
        #expect(live != averages)
        trainer.exchangeAverages()
        #expect(model.arrays.map(\.values) == averages)
        trainer.exchangeAverages()
        #expect(model.arrays.map(\.values) == live)
        trainer.takeAll()

        let other = TrainingFixture.model()
        AverageTests.trainer(other, decay: 0.9).takeAll()
        #expect(model.arrays.map(\.values) == other.arrays.map(\.values))
    }

    @Test func followingChangesNothingAndNoneAreKeptWithout() {
        let models = [0, 0.9].map { decay in
            let model = TrainingFixture.model()
            let trainer = AverageTests.trainer(model, decay: decay)
            trainer.takeAll()
            #expect(trainer.arrays.contains { $0.kind == .average } == (decay > 0))
            if decay == 0 {
                let before = model.arrays.map(\.values)
                trainer.exchangeAverages()
                #expect(model.arrays.map(\.values) == before)
            }
            return model.arrays.map(\.values)
        }
        #expect(models[0] == models[1])
    }
}
