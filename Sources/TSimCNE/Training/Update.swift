import TSimCNEKernels

extension Trainer {
    /// Gradients and weights beyond it count as infinite: what a step would make of them could not be undone.
    private static let largest: Float = 1e18

    /// A part of a parameter that one thread moves.
    private struct Move {
        let parameter: Parameter
        let part: Range<Int>
        let step: OptimizerStep
    }

    /// One number for each block of the parameters.
    private func map(_ parameters: [Parameter], _ body: (Parameter, Range<Int>) -> Double) -> [Double] {
        let blocks = parameters.flatMap { parameter in parameter.blocks.map { (parameter, $0) } }
        let results = UnsafeMutablePointer<Double>.allocate(capacity: blocks.count)
        defer { results.deallocate() }
        _ = pool.run(count: blocks.count) { block, _ in
            results[block] = body(blocks[block].0, blocks[block].1)
        }
        return Array(UnsafeBufferPointer(start: results, count: blocks.count))
    }

    /// Whether the step that ran may reach the parameters and running statistics. Statistics are looked at
    /// too: BatchNorm hides the size of what it normalises from loss and gradients.
    func isFinite() -> Bool {
        guard currentLoss.isFinite, model.normalizations.allSatisfy(\.isFinite) else { return false }
        let temperatures = stages[stage].temperatureRate > 0 ? [temperature!] : []
        return map(trainedParameters + temperatures) { parameter, range in
            let (weight, gradient) = (parameter.value.pointer, parameter.gradient.pointer)
            // Without their sign, patterns are ordered as magnitudes are, and those of NaN are the largest.
            var worst: UInt32 = 0
            for i in range {
                worst = max(worst, gradient[i].magnitude.bitPattern, weight[i].magnitude.bitPattern)
            }
            return worst < Trainer.largest.bitPattern ? 0 : 1
        }.allSatisfy { $0 == 0 }
    }

    func updateParameters(_ optimizer: any Optimizer) {
        // The last layers first, whose matrices are the largest: no thread is left with one at the end.
        var moves = moves(trainedParameters.reversed(), optimizer, rate: learningRate)
        let share = stages[stage].temperatureRate
        if share > 0 { moves += self.moves([temperature!], optimizer, rate: share * learningRate) }
        let scratch = optimizerScratch.pointer
        let scratchCount = optimizerScratch.count / pool.threads
        _ = pool.run(count: moves.count) { index, worker in
            let move = moves[index]
            optimizer.update(
                move.parameter, part: move.part, move.step, scratch: scratch + worker * scratchCount)
        }
    }

    private func moves(_ parameters: [Parameter], _ optimizer: any Optimizer, rate: Double) -> [Move] {
        parameters.flatMap { parameter in
            parameter.prepare(for: optimizer)
            var step = OptimizerStep(learningRate: Float(rate))
            step.number = progress.step + 1
            if optimizer.adapts(parameter) { step.norms = norms(parameter, optimizer.rules) }
            return optimizer.parts(of: parameter).map { Move(parameter: parameter, part: $0, step: step) }
        }
    }

    private func norms(_ parameter: Parameter, _ rules: GradientRules) -> (value: Float, gradient: Float) {
        func norm(_ value: (Int) -> Float) -> Float {
            let squares = map([parameter]) { _, range in
                range.reduce(0) { $0 + Double(value($1)) * Double(value($1)) }
            }
            return Float(squares.reduce(0, +).squareRoot())
        }
        let (w, g) = (parameter.value.pointer, parameter.gradient.pointer)
        return (norm { w[$0] }, norm { rules.clipped(g[$0]) })
    }
}
