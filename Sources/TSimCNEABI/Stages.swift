import CTSimCNE
import TSimCNE

private let table = NumberTable("stage")

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

/// The most steps of a stage.
let largestStepCount = Int64(1) << 40

func trainingStage(_ stage: tsimcne_stage, _ source: ImageSource, _ name: String) throws -> Stage {
    let wanted = UInt64(MemoryLayout<tsimcne_stage>.size)
    guard stage.struct_size == wanted else {
        throw Failure.argument("\(name).struct_size: got \(stage.struct_size), want \(wanted)")
    }
    try table.check(stage, name)
    let similarity = try similarity(
        stage.metric, stage.temperature, stage.degrees_of_freedom, "\(name).")
    let perEpoch = stage.schedule == Int32(TSIMCNE_SCHEDULE_EPOCH)
    try check(stage.warmup, in: 0...(perEpoch ? 1e6 : 1), "\(name).warmup")
    // Adam divides by 1 - momentum at the first step.
    let isAdam = [Int32(TSIMCNE_ADAMW), Int32(TSIMCNE_ADAM)].contains(stage.optimizer)
    try check(stage.momentum, in: 0...(isAdam ? (1.0).nextDown : 1), "\(name).momentum")
    try check(stage.second_momentum, in: 0...(1.0).nextDown, "\(name).second_momentum")
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
        trained: try choice(stage.trains, of: [.all, .outputLayer, .head], "\(name).trains"),
        metric: similarity.metric, temperature: similarity.temperature, degrees: similarity.degrees,
        temperatureRate: stage.temperature_rate, annealing: try annealing(stage, name),
        learningRate: stage.learning_rate,
        schedule: Schedule(
            perEpoch ? .epoch(warmup: Int(stage.warmup)) : .batch(warmup: stage.warmup),
            shape: try choice(
                stage.shape, of: [.cosine, .constant, .linear, .oneCycle], "\(name).shape")),
        optimizer: try optimizer(stage, name),
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

private func optimizer(_ stage: tsimcne_stage, _ name: String) throws -> any Optimizer {
    let rules = GradientRules(
        weightDecay: Float(stage.weight_decay), decaysBiases: stage.decays_biases == 1,
        clipValue: stage.clip_value == 0 ? nil : Float(stage.clip_value))
    let momentum = Float(stage.momentum)
    let betas = (mean: momentum, squares: Float(stage.second_momentum))
    switch Int(stage.optimizer) {
    case TSIMCNE_SGD: return SGD(momentum: momentum, isNesterov: false, rules: rules)
    case TSIMCNE_NESTEROV: return SGD(momentum: momentum, isNesterov: true, rules: rules)
    case TSIMCNE_ADAMW: return Adam(betas: betas, rules: rules)
    case TSIMCNE_MUON: return Muon(momentum: momentum, rules: rules)
    case TSIMCNE_LARS: return LARS(momentum: momentum, rules: rules)
    case TSIMCNE_ADAM: return Adam(betas: betas, isDecoupled: false, keepsMaxima: true, rules: rules)
    default: throw Failure.argument("\(name).optimizer: got \(stage.optimizer), which is not known")
    }
}

/// Stages whose output dimensions fit one another.
func trainingStages(
    _ config: tsimcne_trainer_config, source: ImageSource, model: Model
) throws -> [Stage] {
    try check(config.stage_count, in: 1...Int64(TSIMCNE_MOST_STAGES), "config.stage_count")
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
