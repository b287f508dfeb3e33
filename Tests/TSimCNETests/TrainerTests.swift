import Support
import Testing

@testable import TSimCNE

@Suite struct TrainerTests {
    static let pixels = values(50 * 8 * 10 * 3, seed: 4).map { ($0 + 1) / 2 }

    static func stage(_ outputs: Int, _ start: Stage.OutputStart, _ trained: TrainedPart) -> Stage {
        Stage(
            steps: 8, outputs: outputs, outputStart: start, trained: trained, metric: .cauchy,
            temperature: 1,
            learningRate: 0.05, schedule: Schedule(.batch(warmup: 0.1)),
            optimizer: SGD(momentum: 0.9, rules: GradientRules(weightDecay: 5e-4, clipValue: 4)))
    }

    static func model() -> Model {
        var configuration = Model.Configuration(channels: 3)
        configuration.depth = 10
        configuration.baseWidth = 4
        configuration.hidden = [16]
        configuration.outputs = 8
        return Model(configuration, seed: 1)
    }

    static func withTrainer<R>(
        _ model: Model, threads: Int = 2, _ body: (Trainer) -> R
    ) -> R {
        pixels.withUnsafeBytes { bytes in
            let images = ImageBatch(
                data: bytes.baseAddress!, count: 50, height: 8, width: 10, channels: 3, element: .float32)
            let stages = [
                stage(8, .keep, .all), stage(2, .principal(radius: 3), .outputLayer), stage(2, .keep, .all),
            ]
            return body(
                Trainer(
                    model: model, stages: stages, source: .images(images, .natural), batchSize: 16, seed: 5,
                    pool: ThreadPool(threads: threads)))
        }
    }

    static func bits(_ model: Model) -> [[Float]] {
        model.arrays.map { array in
            Array(
                UnsafeBufferPointer(start: array.data.assumingMemoryBound(to: Float.self), count: array.count)
            )
        }
    }

    @Test func bitsDependNeitherOnThreadsNorOnWhereAStepStops() {
        let results = [(1, UInt64.max), (2, .max), (3, 20_000), (2, 1)].map { threads, slice in
            let model = TrainerTests.model()
            TrainerTests.withTrainer(model, threads: threads) { trainer in
                while trainer.advance(until: slice == .max ? .max : ThreadPool.now() + slice) != .finished {}
            }
            return TrainerTests.bits(model)
        }
        #expect(results.allSatisfy { $0 == results[0] })
        #expect(results[0].allSatisfy { $0.allSatisfy(\.isFinite) })
    }

    @Test func stageTwoMovesOnlyTheOutputLayerAndRunningStatistics() {
        let model = TrainerTests.model()
        TrainerTests.withTrainer(model) { trainer in
            while trainer.stage == 0 { _ = trainer.advance() }
            let before = Dictionary(
                uniqueKeysWithValues: zip(model.arrays.map(\.name), TrainerTests.bits(model)))
            while trainer.stage == 1 { _ = trainer.advance() }
            for (array, after) in zip(model.arrays, TrainerTests.bits(model)) {
                let isOutput = array.name.hasPrefix("projection_head.layers.2")
                let moves = isOutput || array.kind == .buffer
                #expect((before[array.name]! != after) == moves, "\(array.name)")
            }
            #expect(trainer.trainedParameters.count > 2)
        }
    }

    @Test func anAbandonedStepLeavesNothing() {
        let model = TrainerTests.model()
        TrainerTests.withTrainer(model) { trainer in
            while trainer.advance() != .step {}
            let before = TrainerTests.bits(model)
            while trainer.advance() != .boundary(.embeddings) {}
            trainer.abandon()
            #expect(TrainerTests.bits(model) == before)
            while trainer.advance() != .finished {}
        }
        let other = TrainerTests.model()
        TrainerTests.withTrainer(other) { while $0.advance() != .finished {} }
        #expect(TrainerTests.bits(model) == TrainerTests.bits(other))
    }

    @Test func transformDoesNotDependOnPacking() {
        let model = TrainerTests.model()
        let whole = TrainerTests.map(model, 0..<50, threads: 2)
        let parts = [0..<1, 1..<20, 20..<50].flatMap { TrainerTests.map(model, $0, threads: 1) }
        #expect(whole == parts)
    }

    static func map(_ model: Model, _ range: Range<Int>, threads: Int) -> [Float] {
        pixels.withUnsafeBytes { bytes in
            let images = ImageBatch(
                data: bytes.baseAddress! + range.lowerBound * 240 * 4, count: range.count, height: 8,
                width: 10,
                channels: 3, element: .float32)
            var output = [Float](repeating: 0, count: range.count * model.outputs)
            model.transform(images, .map, into: &output, pool: ThreadPool(threads: threads))
            return output
        }
    }
}

/// Counts the memory of the whole process: tests run one after the other.
@Suite struct AllocationTests {
    @Test func stepsAfterTheFirstAllocateNoActivations() {
        let step = TrainerTests.withTrainer(TrainerTests.model()) { trainer -> Int in
            while trainer.advance() != .step {}
            let before = AlignedBuffer.allocatedBytes
            while trainer.stage == 0 { _ = trainer.advance() }
            return AlignedBuffer.allocatedBytes - before
        }
        #expect(step == 0)
    }
}
