import CTSimCNE
import TSimCNE

private let table = NumberTable("model")

func modelConfiguration(_ pointer: UnsafePointer<tsimcne_model_config>?) throws -> Model.Configuration {
    let config = try structure(pointer, "config", \.struct_size)
    if config.layer_count != 0 { return try layeredConfiguration(config) }
    guard config.depth == 0 || ResNet.depths[Int(config.depth)] != nil else {
        let depths = ResNet.depths.keys.sorted().map(String.init).joined(separator: ", ")
        throw Failure.argument("config.depth: got \(config.depth), want 0, \(depths)")
    }
    try table.check(config, "config")
    try checkChannels(config.channels, ofVectors: config.depth == 0)
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
    try table.check(config, only: ["output_dim"], "config")
    try checkChannels(config.channels, ofVectors: false)
    var result = try commonConfiguration(config)
    var reader = try LayerReader(config)
    result.layers = try reader.read(channels: result.channels)
    let features = result.layers.outputs(inputs: result.channels)
    try checkMemory(12 * (reader.weights + headWeightCount(result, features: features)), "the model")
    return result
}

private func hiddenWidths(_ config: tsimcne_model_config) throws -> [Int] {
    try check(config.hidden_count, in: 0...Int32(TSIMCNE_MOST_HIDDEN), "config.hidden_count")
    guard config.hidden_count > 0 else { return [] }
    let widths = try required(config.hidden_dims, "config.hidden_dims")
    return try (0..<Int(config.hidden_count)).map { i in
        try check(widths[i], in: 1...Int32(TSIMCNE_WIDEST_HIDDEN), "config.hidden_dims[\(i)]")
        return Int(widths[i])
    }
}

/// Weights of a ResNet's blocks, about, by its depth.
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

/// Checks the channels of images; feature vectors may have more.
private func checkChannels(_ channels: Int64, ofVectors: Bool) throws {
    try check(channels, in: 1...(ofVectors ? 65536 : 1024), "config.channels")
}
