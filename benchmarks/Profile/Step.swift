import TSimCNE

/// Where the time of a training step goes, operation by operation.
///
/// What is left out is the paper's: two views of each image, the Cauchy kernel. With four views the loss is the
/// recipes' cosine.
struct Step {
    var width = 16
    var depth = 18
    var size = 32
    var channels = 3
    var batch = 128
    var views = 2
    var threads = usableCores()
    var steps = 5
    /// Of what convolutions leave, and of the factors of their products: 32, or 16 for bfloat16. Products of 16
    /// bits come with storage of 16.
    var stored = 32
    var multiplied = 32

    private var precision: TrainingPrecision {
        multiplied == 16 ? .bfloat16 : stored == 16 ? .storedBFloat16 : .single
    }

    struct Row {
        let name: String
        let milliseconds: Double
    }

    /// Least times of a step's operations, in the order in which they run, so that other work on the machine
    /// counts little; of one thread the processor's time, so that it does not count at all.
    func measure() -> [Row] {
        if threads == 1 {
            let (loops, update) = Scaling(step: self).measure()
            return loops.map { Row(name: $0.name, milliseconds: $0.total) }
                + [Row(name: "update", milliseconds: update)]
        }
        return withTrainer { trainer in
            // The first step takes memory from the system.
            advance(trainer)
            let program = trainer.program!
            var best = Array(repeating: UInt64.max, count: program.nanoseconds.count)
            var update = UInt64.max
            for _ in 0..<steps {
                let before = program.nanoseconds
                let started = ThreadPool.now()
                advance(trainer)
                let whole = ThreadPool.now() - started
                let times = zip(program.nanoseconds, before).map { $0 - $1 }
                best = zip(best, times).map { min($0, $1) }
                update = min(update, whole - times.reduce(0, +))
            }
            var rows: [Row] = []
            for (element, time) in zip(program.elements, best) {
                guard case .operation(let name, _, _, _) = element else { continue }
                rows.append(Row(name: name, milliseconds: Double(time) * 1e-6))
            }
            rows.append(Row(name: "update", milliseconds: Double(update) * 1e-6))
            return rows
        }
    }

    /// A trainer with random images for the steps, and what one more is for.
    func withTrainer<Result>(_ work: (Trainer) -> Result) -> Result {
        let images = batch * (steps + 1)
        let bytes = images * size * size * channels
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        defer { memory.deallocate() }
        var random = RandomNumbers(seed: 1, purpose: .weights)
        for i in 0..<bytes / 4 { memory.storeBytes(of: random.next(), toByteOffset: 4 * i, as: UInt32.self) }
        var configuration = Model.Configuration(channels: channels)
        configuration.depth = depth
        configuration.baseWidth = width
        let stage = Stage(
            steps: 1 << 20, outputs: configuration.outputs, outputStart: .keep, trained: .all,
            metric: views > 2 ? .cosine : .cauchy,
            temperature: views > 2 ? 0.2 : 1, learningRate: 0.01, schedule: Schedule(.batch(warmup: 0.1)),
            optimizer: SGD(momentum: 0.9, rules: GradientRules(weightDecay: 5e-4, clipValue: 4)))
        return work(
            Trainer(
                model: Model(configuration, seed: 1), stages: [stage],
                source: .images(
                    ImageBatch(
                        data: UnsafeRawPointer(memory), count: images, height: size, width: size,
                        channels: channels, element: .uint8), .natural),
                batchSize: batch, viewCount: views, precision: precision, seed: 1,
                pool: ThreadPool(threads: threads)))
    }

    func advance(_ trainer: Trainer) {
        while true {
            switch trainer.advance() {
            case .step, .finished: return
            default: continue
            }
        }
    }

    func report() {
        let rows = measure()
        let total = rows.reduce(0) { $0 + $1.milliseconds }
        print(
            "ResNet-\(depth), width \(width), \(views * batch) views of \(size)×\(size)×\(channels), "
                + "\(threads) threads, \(instructionSetLevel), \(precision): \(rounded(total)) ms a step, "
                + "\(rounded(1000 * Double(views * batch) / total)) views/s")
        print("\(AlignedBuffer.allocatedBytes >> 20) MiB taken from the system\n")
        for row in rows { print(line(row, total)) }
        print("\nby kind:")
        var kinds: [(String, Double)] = []
        for row in rows {
            let kind = kind(of: row.name)
            if let i = kinds.firstIndex(where: { $0.0 == kind }) {
                kinds[i].1 += row.milliseconds
            } else {
                kinds.append((kind, row.milliseconds))
            }
        }
        for (name, time) in kinds.sorted(by: { $0.1 > $1.1 }) {
            print(line(Row(name: name, milliseconds: time), total))
        }
    }

    private func line(_ row: Row, _ total: Double) -> String {
        let time = rounded(row.milliseconds)
        let share = rounded(100 * row.milliseconds / total)
        return pad(time, 9) + " ms " + pad(share, 6) + " %  " + row.name
    }

    func pad(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// A name without the layer's: "backbone.layer1.0.conv1.weight forward" is "convolution forward".
    private func kind(of name: String) -> String {
        let words = name.split(separator: " ", maxSplits: 1).map(String.init)
        guard words.count == 2, words[0].contains(".") else { return name }
        let layer = words[0]
        if layer.contains("layers") { return "linear " + words[1] }
        if layer.contains("bn") || layer.contains("shortcut.1") { return "normalization " + words[1] }
        if layer.contains("shortcut") { return "shortcut " + words[1] }
        return (layer == "backbone.conv1.weight" ? "stem " : "convolution ") + words[1]
    }
}

/// The number with two decimals.
func rounded(_ x: Double) -> String {
    let hundredths = Int((x * 100).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
}
