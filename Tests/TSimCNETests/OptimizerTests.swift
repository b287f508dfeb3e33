import Support
import Testing

@testable import TSimCNE

@Suite struct OptimizerTests {
    static func optimizer(_ method: OptimizerReference.Method, _ rules: GradientRules) -> any Optimizer {
        switch method {
        case .sgd: return SGD(momentum: 0.8, rules: rules)
        case .nesterov: return SGD(momentum: 0.8, isNesterov: true, rules: rules)
        case .adamW: return Adam(betas: (0.8, 0.99), rules: rules)
        case .amsGrad:
            return Adam(betas: (0.8, 0.99), isDecoupled: false, keepsMaxima: true, rules: rules)
        case .lars: return LARS(momentum: 0.8, rules: rules)
        case .muon: return Muon(momentum: 0.8, rules: rules)
        }
    }

    /// Every parameter of a network, step by step, from the gradients that the trainer had.
    @Test(arguments: OptimizerReference.Method.allCases, [true, false])
    func stepsEqualTheFormula(method: OptimizerReference.Method, decaysBiases: Bool) {
        let (decay, clip) = (0.05, decaysBiases ? Double.infinity : 1e-3)
        let rules = GradientRules(
            weightDecay: Float(decay), decaysBiases: decaysBiases, clipValue: Float(clip))
        let rate = method == .lars ? 1 : 0.05
        // The first layer is worked on in two parts, of its values and of its columns.
        var configuration = Model.Configuration(channels: 130)
        configuration.depth = 0
        configuration.hidden = [260]
        configuration.outputs = 3
        let model = Model(configuration, seed: 1)
        var fixture = TrainingFixture(
            TrainingFixture.stage(
                6, 3, metric: .cosine, rate: rate, schedule: Schedule(.batch(warmup: 0.5)),
                optimizer: OptimizerTests.optimizer(method, rules)))
        fixture.source = TrainingFixture.vectors(values(18 * 130, seed: 3), channels: 130)
        fixture.noise = FeatureNoise(deviation: 0.2)
        let trainer = fixture.trainer(model)
        var references = model.parameters.map { parameter in
            var reference = OptimizerReference(
                method, momentum: Double(Float(0.8)),
                decay: decaysBiases || !parameter.isBias ? Double(rules.weightDecay) : 0,
                clip: Double(rules.clipValue), adapts: !parameter.isBias)
            reference.secondMomentum = Double(Float(0.99))
            reference.columns = parameter.isBias || parameter.isOutput ? 0 : parameter.shape.last!
            return reference
        }
        for step in 1...6 {
            let before = model.parameters.map { doubles($0.value.values) }
            trainer.take(1)
            #expect(trainer.learningRate > 0)
            for (index, parameter) in model.parameters.enumerated() {
                let wanted = references[index].move(
                    before[index], doubles(parameter.gradient.values), rate: trainer.learningRate)
                let moved = zip(parameter.value.values, before[index]).map { Float(Double($0) - $1) }
                // Below the floor a move is rounding of the value.
                let error = relativeError(moved, wanted, floor: 2e-5)
                #expect(error < 1e-3, "\(parameter.name), step \(step)")
            }
        }
    }

    @Test func biasesAndNormalizationsAreWhatNeedNotDecay() {
        for parameter in TrainingFixture.model().parameters {
            let isBias = parameter.name.hasSuffix("bias") || parameter.name.contains("bn")
            let isShortcut = parameter.name.contains("shortcut.1")
            #expect(parameter.isBias == (isBias || isShortcut), "\(parameter.name)")
            let rules = GradientRules(weightDecay: 0.5, decaysBiases: false)
            #expect(rules.decay(of: parameter) == (parameter.isBias ? 0 : 0.5))
        }
    }
}

extension AlignedBuffer {
    var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
