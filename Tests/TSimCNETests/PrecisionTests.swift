import Support
import TSimCNEKernels
import Testing

@testable import TSimCNE

@Suite(.enabled(if: Precision.bfloat16.isAvailable)) struct PrecisionTests {
    /// Loss and gradients of a first step, of a network whose convolutions have Winograd's forms.
    private func step(_ precision: Precision, threads: Int) -> (loss: Double, gradients: [Float]) {
        var configuration = Model.Configuration(channels: 3)
        configuration.depth = 10
        configuration.baseWidth = 16
        configuration.hidden = [16]
        configuration.outputs = 8
        var fixture = TrainingFixture(TrainingFixture.stage(1))
        fixture.precision = precision
        let model = Model(configuration, seed: 1)
        let trainer = fixture.trainer(model, threads: threads)
        trainer.take(1)
        let gradients = model.parameters.flatMap {
            Array(UnsafeBufferPointer(start: $0.gradient.pointer, count: $0.count))
        }
        return (trainer.loss, gradients)
    }

    /// What they are worth beside PyTorch's is in the parity tests.
    @Test func gradientsPointWhereThoseOfSinglePrecisionDo() {
        let (single, half) = (step(.single, threads: 2), step(.bfloat16, threads: 2))
        #expect(abs(single.loss - half.loss) < 0.01 * single.loss)
        #expect(single.loss != half.loss)
        func product(_ a: [Float], _ b: [Float]) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let (a, b) = (single.gradients, half.gradients)
        #expect(product(a, b) > 0.9 * (product(a, a) * product(b, b)).squareRoot())
    }

    @Test func bitsDoNotDependOnThreads() {
        #expect(step(.bfloat16, threads: 1).gradients == step(.bfloat16, threads: 3).gradients)
    }
}
