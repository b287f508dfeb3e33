import CTSimCNE
import Glibc
import TSimCNE
import TSimCNEKernels

/// The value behind a pointer, checked for null and for the size its caller was compiled with.
func structure<S>(_ pointer: UnsafePointer<S>?, _ name: String, _ size: KeyPath<S, UInt64>) throws -> S {
    let value = try required(pointer, name).pointee
    let wanted = UInt64(MemoryLayout<S>.size)
    guard value[keyPath: size] == wanted else {
        throw Failure.argument(
            "\(name).struct_size: got \(value[keyPath: size]), want \(wanted); header and library differ")
    }
    return value
}

func required<P>(_ pointer: P?, _ name: String) throws -> P {
    guard let pointer else { throw Failure.argument("\(name): got NULL") }
    return pointer
}

func check<V: Comparable>(_ value: V, in range: ClosedRange<V>, _ name: String) throws {
    guard range.contains(value) else {
        throw Failure.argument("\(name): got \(value), want \(range.lowerBound) to \(range.upperBound)")
    }
}

/// Whether so many bytes could be had now; asked before large buffers are made.
///
/// - Parameter addresses: bytes of address space that others will want meanwhile, hardly any of them touched.
func checkMemory(_ bytes: Int, _ what: String, addresses: Int = 0) throws {
    if bytes == 0 { return }
    func refusal(_ rest: String) -> Failure {
        Failure(
            status: Int32(TSIMCNE_ERROR_MEMORY), message: "\(what) needs about \(mebibytes(bytes)), \(rest)")
    }
    // To ask takes as long as to map some vectors, which want next to nothing.
    if bytes >= 1 << 24, let left = ControlGroups.system.memory, left < bytes {
        throw refusal("but the control group of this process leaves \(mebibytes(left))")
    }
    guard let memory = reserve(bytes) else { throw refusal("more than can be had") }
    defer { munmap(memory, bytes) }
    if addresses == 0 { return }
    // The system would count address space as memory, all at once, if it were not told that it is none.
    guard let space = reserve(addresses, MAP_NORESERVE) else {
        throw refusal("and \(mebibytes(addresses)) of address space beside it, more than can be had")
    }
    munmap(space, addresses)
}

private func reserve(_ bytes: Int, _ flags: Int32 = 0) -> UnsafeMutableRawPointer? {
    let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0)
    return memory == MAP_FAILED ? nil : memory
}

/// Rounded up.
private func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20 + (bytes & (1 << 20 - 1) == 0 ? 0 : 1)) MiB" }

/// Images with data, or with none where they are supplied later.
func imageBatch(_ pointer: UnsafePointer<tsimcne_images>?, suppliedLater: Bool) throws -> ImageBatch {
    let images = try structure(pointer, "images", \.struct_size)
    try check(images.count, in: 0...Int64(1) << 40, "images.count")
    let isVectors = images.height == 1 && images.width == 1
    try check(images.height, in: isVectors ? 1...1 : 8...1024, "images.height")
    try check(images.width, in: isVectors ? 1...1 : 8...1024, "images.width")
    try check(images.channels, in: 1...(isVectors ? 65536 : 1024), "images.channels")
    try check(images.type, in: (isVectors ? Int32(TSIMCNE_FLOAT32) : 0)...1, "images.type")
    if !suppliedLater, images.count > 0, images.data == nil {
        throw Failure.argument("images.data: got NULL")
    }
    return ImageBatch(
        data: images.data ?? UnsafeRawPointer(bitPattern: 64)!, count: Int(images.count),
        height: Int(images.height), width: Int(images.width), channels: Int(images.channels),
        element: images.type == Int32(TSIMCNE_UINT8) ? .uint8 : .float32)
}

extension ImageBatch {
    var isVectors: Bool { height == 1 }
}

/// Whether images are what the model was made for.
func checkImages(_ images: ImageBatch, fit model: Model) throws {
    let wanted = model.configuration.channels
    guard images.channels == wanted else {
        throw Failure.argument("images.channels: got \(images.channels), want \(wanted)")
    }
    guard images.isVectors == model.readsVectors else {
        throw Failure.argument(
            "images.height: got \(images.height), but the model is for \(images.isVectors ? "images" : "vectors")"
        )
    }
}

func modelConfiguration(_ pointer: UnsafePointer<tsimcne_model_config>?) throws -> Model.Configuration {
    let config = try structure(pointer, "config", \.struct_size)
    if config.layer_count != 0 { return try layeredConfiguration(config) }
    guard config.depth == 0 || ResNet.depths[Int(config.depth)] != nil else {
        let depths = ResNet.depths.keys.sorted().map(String.init).joined(separator: ", ")
        throw Failure.argument("config.depth: got \(config.depth), want 0, \(depths)")
    }
    try check(config.channels, in: 1...(config.depth == 0 ? 65536 : 1024), "config.channels")
    try check(config.base_width, in: 1...1024, "config.base_width")
    try check(config.output_dim, in: 1...4096, "config.output_dim")
    var result = try commonConfiguration(config)
    result.depth = Int(config.depth)
    result.baseWidth = Int(config.base_width)
    try checkMemory(12 * weightCount(result), "the model")
    return result
}

/// What models of all backbones have.
private func commonConfiguration(_ config: tsimcne_model_config) throws -> Model.Configuration {
    var result = Model.Configuration(channels: Int(config.channels))
    result.hidden = try hiddenWidths(config)
    result.outputs = Int(config.output_dim)
    if config.mean != nil || config.deviation != nil {
        let mean = try required(config.mean, "config.mean")
        let deviation = try required(config.deviation, "config.deviation")
        let channels = Int(config.channels)
        let means = Array(UnsafeBufferPointer(start: mean, count: channels))
        let deviations = Array(UnsafeBufferPointer(start: deviation, count: channels))
        guard means.allSatisfy(\.isFinite) else { throw Failure.argument("config.mean: not finite") }
        guard deviations.allSatisfy({ $0.isFinite && $0 > 0 }) else {
            throw Failure.argument("config.deviation: want positive numbers")
        }
        result.normalization = (means, deviations)
    }
    return result
}

private func layeredConfiguration(_ config: tsimcne_model_config) throws -> Model.Configuration {
    try check(config.channels, in: 1...1024, "config.channels")
    try check(config.output_dim, in: 1...4096, "config.output_dim")
    var result = try commonConfiguration(config)
    var reader = try LayerReader(config)
    result.layers = try reader.read(channels: result.channels)
    let features = result.layers.outputs(inputs: result.channels)
    try checkMemory(12 * (reader.weights + headWeightCount(result, features: features)), "the model")
    return result
}

private func hiddenWidths(_ config: tsimcne_model_config) throws -> [Int] {
    try check(config.hidden_count, in: 0...16, "config.hidden_count")
    guard config.hidden_count > 0 else { return [] }
    let widths = try required(config.hidden_dims, "config.hidden_dims")
    return try (0..<Int(config.hidden_count)).map { i in
        try check(widths[i], in: 1...65536, "config.hidden_dims[\(i)]")
        return Int(widths[i])
    }
}

/// Of a ResNet's blocks, about.
private let weightsOfWidthOne = [10: 1440, 18: 2880, 34: 5300, 50: 5900, 101: 10600]

/// Weights of a model, about; those of the largest allowed one are far from the largest number.
private func weightCount(_ model: Model.Configuration) -> Int {
    let width = model.baseWidth
    let backbone =
        model.depth == 0
        ? 0 : model.channels * 9 * width + weightsOfWidthOne[model.depth]! * width * width
    let features = 8 * width * (ResNet.depths[model.depth]?.kind == .bottleneck ? 4 : 1)
    return backbone + headWeightCount(model, features: model.depth == 0 ? model.channels : features)
}

private func headWeightCount(_ model: Model.Configuration, features: Int) -> Int {
    let sizes = [features] + model.hidden + [model.outputs]
    return zip(sizes, sizes.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
}

func similarity(
    _ metric: Int32, _ temperature: Float, _ degrees: Float, _ prefix: String
) throws -> Similarity {
    guard let metric = Metric(rawValue: Int(metric)) else {
        throw Failure.argument("\(prefix)metric: got \(metric), want 0 to \(Metric.allCases.count - 1)")
    }
    try check(temperature, in: 1e-6...1e6, "\(prefix)temperature")
    if metric == .studentT { try check(degrees, in: 1e-3...1e6, "\(prefix)degrees_of_freedom") }
    return Similarity(metric, temperature: temperature, degrees: degrees)
}

/// Of a stage.
let largestStepCount = Int64(1) << 40

func trainingStage(_ stage: tsimcne_stage, _ source: ImageSource, _ name: String) throws -> Stage {
    let wanted = UInt64(MemoryLayout<tsimcne_stage>.size)
    guard stage.struct_size == wanted else {
        throw Failure.argument("\(name).struct_size: got \(stage.struct_size), want \(wanted)")
    }
    try check(stage.steps, in: 1...largestStepCount, "\(name).steps")
    try check(stage.output_dim, in: 1...4096, "\(name).output_dim")
    try check(stage.output_start, in: 0...3, "\(name).output_start")
    try check(stage.trains, in: 0...2, "\(name).trains")
    let similarity = try similarity(
        stage.metric, stage.temperature, stage.degrees_of_freedom, "\(name).")
    try check(stage.temperature_rate, in: 0...1e9, "\(name).temperature_rate")
    try check(stage.learning_rate, in: 0...1e9, "\(name).learning_rate")
    try check(stage.schedule, in: 0...1, "\(name).schedule")
    let perEpoch = stage.schedule == Int32(TSIMCNE_SCHEDULE_EPOCH)
    try check(stage.warmup, in: 0...(perEpoch ? 1e6 : 1), "\(name).warmup")
    try check(stage.shape, in: 0...3, "\(name).shape")
    try check(stage.optimizer, in: 0...4, "\(name).optimizer")
    try check(stage.decays_biases, in: 0...1, "\(name).decays_biases")
    let isAdam = [Int32(TSIMCNE_ADAMW), Int32(TSIMCNE_ADAM)].contains(stage.optimizer)
    try check(stage.momentum, in: 0...(isAdam ? (1.0).nextDown : 1), "\(name).momentum")
    try check(stage.second_momentum, in: 0...(1.0).nextDown, "\(name).second_momentum")
    try check(stage.weight_decay, in: 0...1e9, "\(name).weight_decay")
    try check(stage.clip_value, in: 0...1e30, "\(name).clip_value")
    try check(stage.neighbors, in: 0...1024, "\(name).neighbors")
    try check(stage.inputs, in: 0...1, "\(name).inputs")
    if stage.inputs == Int32(TSIMCNE_INPUT_FEATURES) {
        guard stage.neighbors > 0, stage.trains != Int32(TSIMCNE_TRAIN_ALL) else {
            throw Failure.argument("\(name).inputs: features want neighbors, and the backbone frozen")
        }
    }
    if stage.output_start != Int32(TSIMCNE_OUTPUT_KEEP) {
        try check(stage.output_scale, in: 1e-9...1e9, "\(name).output_scale")
    }
    let start: Stage.OutputStart
    switch stage.output_start {
    case Int32(TSIMCNE_OUTPUT_NORMAL): start = .normal(deviation: stage.output_scale)
    case Int32(TSIMCNE_OUTPUT_PRINCIPAL): start = .principal(radius: stage.output_scale)
    case Int32(TSIMCNE_OUTPUT_SCALED): start = .scaled(radius: stage.output_scale)
    default: start = .keep
    }
    return Stage(
        steps: Int(stage.steps), outputs: Int(stage.output_dim), outputStart: start,
        trained: [.all, .outputLayer, .head][Int(stage.trains)],
        metric: similarity.metric, temperature: similarity.temperature, degrees: similarity.degrees,
        temperatureRate: stage.temperature_rate, annealing: try annealing(stage, name),
        learningRate: stage.learning_rate,
        schedule: Schedule(
            perEpoch ? .epoch(warmup: Int(stage.warmup)) : .batch(warmup: stage.warmup),
            shape: [.cosine, .constant, .linear, .oneCycle][Int(stage.shape)]),
        optimizer: optimizer(stage),
        views: Stage.Views(
            size: try viewSize(stage, source, name), augmentation: try viewAugmentation(stage, source, name)),
        neighbors: Int(stage.neighbors), readsFeatures: stage.inputs == Int32(TSIMCNE_INPUT_FEATURES))
}

private func annealing(_ stage: tsimcne_stage, _ name: String) throws -> Stage.Annealing {
    let count = stage.annealed_epochs
    try check(count, in: 0...(1 << 30), "\(name).annealed_epochs")
    var result = Stage.Annealing()
    guard count > 0 else { return result }
    if let pointer = stage.annealed_outputs {
        result.outputs = UnsafeBufferPointer(start: pointer, count: Int(count)).map(Int.init)
        var last = 4096
        for (i, outputs) in result.outputs.enumerated() {
            try check(outputs, in: Int(stage.output_dim)...last, "\(name).annealed_outputs[\(i)]")
            last = outputs
        }
    }
    if let pointer = stage.annealed_degrees {
        result.degrees = Array(UnsafeBufferPointer(start: pointer, count: Int(count)))
        for (i, degrees) in result.degrees.enumerated() {
            try check(degrees, in: 1e-3...1e6, "\(name).annealed_degrees[\(i)]")
        }
    }
    return result
}

private func viewAugmentation(
    _ stage: tsimcne_stage, _ source: ImageSource, _ name: String
) throws -> Augmentation? {
    guard let pointer = stage.augmentation else { return nil }
    guard source.isAugmented else {
        throw Failure.argument("\(name).augmentation: want NULL where config.augmentation is")
    }
    return try augmentation(pointer)
}

private func viewSize(_ stage: tsimcne_stage, _ source: ImageSource, _ name: String) throws -> ViewSize? {
    if stage.view_height == 0 && stage.view_width == 0 { return nil }
    guard source.isAugmented else {
        throw Failure.argument(
            "\(name).view_height: got \(stage.view_height), want 0 without an augmentation")
    }
    let (height, width) = source.imageSize
    try check(Int(stage.view_height), in: 8...height, "\(name).view_height")
    try check(Int(stage.view_width), in: 8...width, "\(name).view_width")
    return ViewSize(
        height: Int(stage.view_height), width: Int(stage.view_width), ofImage: (height, width))
}

private func optimizer(_ stage: tsimcne_stage) -> any Optimizer {
    let rules = GradientRules(
        weightDecay: Float(stage.weight_decay), decaysBiases: stage.decays_biases == 1,
        clipValue: stage.clip_value == 0 ? nil : Float(stage.clip_value))
    let momentum = Float(stage.momentum)
    switch stage.optimizer {
    case Int32(TSIMCNE_ADAMW):
        return Adam(betas: (momentum, Float(stage.second_momentum)), rules: rules)
    case Int32(TSIMCNE_ADAM):
        return Adam(
            betas: (momentum, Float(stage.second_momentum)), isDecoupled: false, keepsMaxima: true,
            rules: rules)
    case Int32(TSIMCNE_LARS): return LARS(momentum: momentum, rules: rules)
    default:
        return SGD(
            momentum: momentum, isNesterov: stage.optimizer == Int32(TSIMCNE_NESTEROV), rules: rules)
    }
}

/// Stages whose output dimensions fit one another.
func trainingStages(
    _ config: tsimcne_trainer_config, source: ImageSource, model: Model
) throws -> [Stage] {
    try check(config.stage_count, in: 1...64, "config.stage_count")
    let pointer = try required(config.stages, "config.stages")
    var outputs = model.outputs
    return try (0..<Int(config.stage_count)).map { index in
        let name = "config.stages[\(index)]"
        let stage = try trainingStage(pointer[index], source, name)
        let first = stage.outputs(inEpoch: 0)
        switch stage.outputStart {
        case .keep where stage.annealing.outputs.isEmpty && first != outputs, .keep where first > outputs,
            .scaled where first != outputs:
            throw Failure.argument(
                "\(name).output_dim: got \(first), but the layer kept has \(outputs)")
        case .principal where first > outputs:
            throw Failure.argument(
                "\(name).output_dim: got \(first), but only \(outputs) components can be had")
        default: break
        }
        outputs = stage.outputs
        return stage
    }
}

func threadCount(_ threads: Int32) throws -> Int {
    try check(threads, in: 0...1024, "threads")
    return threads == 0 ? usableCores() : Int(threads)
}
