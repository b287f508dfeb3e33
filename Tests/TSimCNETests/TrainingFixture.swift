import Support
import TSimCNEKernels

@testable import TSimCNE

/// A small data set, models and stages, for tests of training.
struct TrainingFixture {
    var stages: [Stage]
    var source = TrainingFixture.images
    var batchSize = 8
    var views = 2
    var noise = FeatureNoise()
    var averageDecay = 0.0
    var precision = TrainingPrecision.single

    init(_ stages: Stage...) { self.stages = stages }

    func trainer(_ model: Model, threads: Int = 2) -> Trainer {
        Trainer(
            model: model, stages: stages, source: source, batchSize: batchSize, viewCount: views,
            noise: noise, averageDecay: averageDecay, precision: precision, seed: 5,
            pool: ThreadPool(threads: threads))
    }

    /// Numbers that live as long as the process.
    static func memory(_ numbers: [Float]) -> UnsafeRawPointer {
        let pointer = UnsafeMutablePointer<Float>.allocate(capacity: numbers.count)
        pointer.initialize(from: numbers, count: numbers.count)
        return UnsafeRawPointer(pointer)
    }

    /// With batches of 8 an epoch has three steps.
    static let batch = ImageBatch(
        data: memory(values(18 * 8 * 9 * 3, seed: 4).map { ($0 + 1) / 2 }), count: 18, height: 8, width: 9,
        channels: 3, element: .float32)
    static let images = ImageSource.images(batch, .natural)

    static func vectorBatch(_ numbers: [Float], channels: Int) -> ImageBatch {
        ImageBatch(
            data: memory(numbers), count: numbers.count / channels, height: 1, width: 1, channels: channels,
            element: .float32)
    }

    static func vectors(_ numbers: [Float], channels: Int) -> ImageSource {
        .images(vectorBatch(numbers, channels: channels), nil)
    }

    static let sgd = SGD(momentum: 0.9, rules: GradientRules(weightDecay: 5e-4, clipValue: 4))

    static func stage(
        _ steps: Int, _ outputs: Int = 8, _ start: Stage.OutputStart = .keep, _ trained: TrainedPart = .all,
        metric: Metric = .cauchy, rate: Double = 0.02, schedule: Schedule = Schedule(.batch(warmup: 0.3)),
        optimizer: any Optimizer = sgd
    ) -> Stage {
        Stage(
            steps: steps, outputs: outputs, outputStart: start, trained: trained, metric: metric,
            temperature: 1, learningRate: rate, schedule: schedule, optimizer: optimizer)
    }

    static func model(depth: Int = 10, channels: Int = 3, outputs: Int = 8, seed: UInt64 = 1) -> Model {
        var configuration = Model.Configuration(channels: channels)
        configuration.depth = depth
        configuration.baseWidth = 4
        configuration.hidden = [16]
        configuration.outputs = outputs
        return Model(configuration, seed: seed)
    }
}

extension NamedArray {
    var floats: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: data.assumingMemoryBound(to: Float.self), count: count)
    }
    var values: [Float] { Array(floats) }
}

extension Trainer {
    /// What decides how training goes on, beside ``progress``.
    var savedArrays: [NamedArray] {
        arrays.filter {
            [.parameter, .buffer, .momentum, .squares, .average, .neighbors, .maxima].contains($0.kind)
        }
    }

    /// Copies, by kind and name.
    func saved() -> [String: [Float]] {
        Dictionary(uniqueKeysWithValues: savedArrays.map { ("\($0.kind) \($0.name)", $0.values) })
    }

    func restore(_ saved: [String: [Float]]) {
        for array in savedArrays {
            if let values = saved["\(array.kind) \(array.name)"], values.count == array.count {
                _ = array.floats.update(fromContentsOf: values)
            }
        }
    }

    /// Completes so many steps.
    func take(_ steps: Int) {
        var left = steps
        while left > 0 {
            let event = advance()
            if event == .step { left -= 1 }
            if event == .finished || event == .diverged { return }
        }
    }

    /// Goes on until it ends, and returns the learning rates.
    @discardableResult
    func takeAll() -> [Double] {
        var rates: [Double] = []
        while true {
            let event = advance()
            if event == .step { rates.append(learningRate) }
            if event == .finished || event == .diverged { return rates }
        }
    }
}
