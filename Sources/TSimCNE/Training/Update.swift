extension Trainer {
    /// Values of a parameter that a slice works on.
    private static let block = 32768

    /// Gradients and weights beyond it count as infinite: what a step would make of them could not be undone.
    private static let largest: Float = 1e18

    private func slices(_ parameter: Parameter) -> Int {
        (parameter.count + Trainer.block - 1) / Trainer.block
    }

    private func range(_ parameter: Parameter, _ slice: Int) -> Range<Int> {
        slice * Trainer.block..<min(parameter.count, (slice + 1) * Trainer.block)
    }

    /// One number for each slice of a parameter.
    private func map(
        _ parameter: Parameter, _ body: @escaping (Range<Int>) -> Double
    ) -> [Double] {
        let count = slices(parameter)
        let results = UnsafeMutablePointer<Double>.allocate(capacity: count)
        defer { results.deallocate() }
        _ = pool.run(count: count) { slice, _ in results[slice] = body(self.range(parameter, slice)) }
        return Array(UnsafeBufferPointer(start: results, count: count))
    }

    /// Whether the step that ran may reach the parameters and running statistics. Statistics are looked at
    /// too: BatchNorm hides the size of what it normalises from loss and gradients.
    func isFinite() -> Bool {
        guard currentLoss.isFinite, model.normalizations.allSatisfy(\.isFinite) else { return false }
        let temperatures = stages[stage].temperatureRate > 0 ? [temperature!] : []
        return (trainedParameters + temperatures).allSatisfy { parameter in
            let (weight, gradient) = (parameter.value.pointer, parameter.gradient.pointer)
            return map(parameter) { range in
                // Without their sign, patterns are ordered as magnitudes are, and those of NaN are the largest.
                var worst: UInt32 = 0
                for i in range {
                    worst = max(worst, gradient[i].magnitude.bitPattern, weight[i].magnitude.bitPattern)
                }
                return worst < Trainer.largest.bitPattern ? 0 : 1
            }.allSatisfy { $0 == 0 }
        }
    }

    func updateParameters(_ optimizer: any Optimizer) {
        update(trainedParameters, optimizer, rate: learningRate)
        let share = stages[stage].temperatureRate
        if share > 0 { update([temperature!], optimizer, rate: share * learningRate) }
    }

    private func update(_ parameters: [Parameter], _ optimizer: any Optimizer, rate: Double) {
        var step = OptimizerStep(learningRate: Float(rate))
        step.number = progress.step + 1
        for parameter in parameters {
            parameter.prepare(for: optimizer)
            if optimizer.adapts(parameter) { step.norms = norms(parameter, optimizer.rules) }
            _ = pool.run(count: slices(parameter)) { [step] slice, _ in
                optimizer.update(parameter, range: self.range(parameter, slice), step)
            }
        }
    }

    private func norms(_ parameter: Parameter, _ rules: GradientRules) -> (value: Float, gradient: Float) {
        func norm(_ value: @escaping (Int) -> Float) -> Float {
            let squares = map(parameter) { range in
                range.reduce(0) { $0 + Double(value($1)) * Double(value($1)) }
            }
            return Float(squares.reduce(0, +).squareRoot())
        }
        let (w, g) = (parameter.value.pointer, parameter.gradient.pointer)
        return (norm { w[$0] }, norm { rules.clipped(g[$0]) })
    }
}
