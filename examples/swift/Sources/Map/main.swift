// Maps images that it draws, through the package's Swift interface, and prints "x,y,kind" for each:
// `swift run -c release --package-path examples/swift`.
import TSimCNE

let count = 600
let side = 16
let kinds = 3

/// Draws horizontal stripes, vertical stripes and discs, each somewhere else.
func draw() -> [UInt8] {
    var random = SystemRandomNumberGenerator()
    var pixels = [UInt8](repeating: 0, count: count * side * side)
    for i in 0..<count {
        let shift = Int.random(in: 0..<side, using: &random)
        let radius = Int.random(in: 3..<6, using: &random)
        for y in 0..<side {
            for x in 0..<side {
                let (dx, dy) = (x - side / 2, y - shift / 2 - 4)
                let isLight = [
                    (y + shift) / 2 % 2 == 1, (x + shift) / 2 % 2 == 1, dx * dx + dy * dy < radius * radius,
                ][i % kinds]
                let noise = UInt8.random(in: 0..<50, using: &random)
                pixels[(i * side + y) * side + x] = isLight ? 200 + noise : noise
            }
        }
    }
    return pixels
}

func stage(steps: Int, outputs: Int, start: Stage.OutputStart, rate: Double) -> Stage {
    Stage(
        steps: steps, outputs: outputs, outputStart: start, trained: .all, metric: .cauchy, temperature: 1,
        learningRate: rate, schedule: Schedule(.batch(warmup: 0.1)),
        optimizer: SGD(momentum: 0.9, rules: GradientRules(weightDecay: 5e-4, clipValue: 4)))
}

var configuration = Model.Configuration(channels: 1)
configuration.depth = 10
configuration.baseWidth = 16
configuration.hidden = [128]
configuration.outputs = 32
let model = Model(configuration, seed: 1)
let pool = ThreadPool(threads: 2)

let map: [Float] = draw().withUnsafeBytes { bytes in
    let images = ImageBatch(
        data: bytes.baseAddress!, count: count, height: side, width: side, channels: 1, element: .uint8)
    // Training begins with many dimensions from scratch; the plane begins with their principal components.
    let trainer = Trainer(
        model: model,
        stages: [
            stage(steps: 60, outputs: 32, start: .keep, rate: 0.1),
            stage(steps: 40, outputs: 2, start: .principal(radius: 3), rate: 0.02),
        ],
        source: .images(images, .natural), batchSize: 64, seed: 1, pool: pool)
    training: while true {
        switch trainer.advance() {
        case .finished, .diverged: break training
        default: continue
        }
    }
    return [Float](unsafeUninitializedCapacity: 2 * count) { values, filled in
        model.transform(images, .map, into: values.baseAddress!, pool: pool)
        filled = 2 * count
    }
}

for i in 0..<count {
    print("\(map[2 * i]),\(map[2 * i + 1]),\(i % kinds)")
}
