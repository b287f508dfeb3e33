import Support
import TSimCNEKernels
import Testing

@testable import TSimCNE

/// Training with numbers of 16 bits.
@Suite struct PrecisionTests {
    private static let short = [TrainingPrecision.storedBFloat16, .bfloat16].filter(\.isAvailable)

    /// Loss and gradients of a first step, of a network whose convolutions have Winograd's forms, and the bytes that
    /// training takes.
    private func step(
        _ precision: TrainingPrecision, threads: Int = 2
    ) -> (loss: Double, gradients: [Float], bytes: Int) {
        var configuration = Model.Configuration(channels: 3)
        configuration.depth = 10
        configuration.baseWidth = 16
        configuration.hidden = [16]
        configuration.outputs = 8
        var fixture = TrainingFixture(TrainingFixture.stage(1))
        fixture.precision = precision
        let model = Model(configuration, seed: 1)
        let trainer = fixture.trainer(model, threads: threads)
        let bytes = trainer.plannedBytes()
        trainer.take(1)
        let gradients = model.parameters.flatMap {
            Array(UnsafeBufferPointer(start: $0.gradient.pointer, count: $0.count))
        }
        return (trainer.loss, gradients, bytes)
    }

    /// What they are worth beside PyTorch's is in the parity tests.
    @Test(arguments: short)
    func gradientsPointWhereThoseOfSinglePrecisionDo(precision: TrainingPrecision) {
        let (single, half) = (step(.single), step(precision))
        #expect(abs(single.loss - half.loss) < 0.01 * single.loss)
        #expect(single.loss != half.loss)
        func product(_ a: [Float], _ b: [Float]) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let (a, b) = (single.gradients, half.gradients)
        let cosine = product(a, b) / (product(a, a) * product(b, b)).squareRoot()
        #expect(cosine > (precision == .bfloat16 ? 0.9 : 0.99))
        #expect(half.bytes < single.bytes)
    }

    @Test(arguments: short)
    func bitsDoNotDependOnThreads(precision: TrainingPrecision) {
        #expect(step(precision, threads: 1).gradients == step(precision, threads: 3).gradients)
    }

    /// A batch in parts goes through the network twice, and keeps nothing the first time.
    @Test(arguments: short)
    func whatIsKeptChangesNothing(precision: TrainingPrecision) {
        let shape = Shape(6, 9, 8, 3)
        let features = [false, true].map { keeps in
            let network = ResNet("backbone", depth: 10, baseWidth: 16, channels: 3)
            var random = RandomNumbers(seed: 2, purpose: .weights)
            network.initialize(&random)
            let (program, workspace) = (Program(), Workspace())
            let pass = Pass(
                program: program, workspace: workspace, usesBatchStatistics: true, keepsInputs: keeps,
                precision: precision)
            let input = Tensor(shape)
            input.copy(from: values(shape.count, seed: 5))
            let features = network.forward(input, pass)
            program.run(on: ThreadPool(threads: 2))
            return features.values
        }
        #expect(features[0] == features[1])
    }
}
