import CTSimCNE
import TSimCNE

@_cdecl("tsimcne_model_create")
public func tsimcne_model_create(
    _ config: UnsafePointer<tsimcne_model_config>?, _ seed: UInt64,
    _ model: UnsafeMutablePointer<tsimcne_handle>?
) -> Int32 {
    status {
        let target = try required(model, "model")
        target.pointee = Registry.add(.model(Model(try modelConfiguration(config), seed: seed)))
    }
}

@_cdecl("tsimcne_model_reset_output")
public func tsimcne_model_reset_output(
    _ model: tsimcne_handle, _ outputs: Int32, _ deviation: Float, _ seed: UInt64
) -> Int32 {
    status {
        try check(outputs, in: 1...4096, "output_dim")
        try check(deviation, in: 0...1e9, "deviation")
        try usingModel(model, .changes) { model in
            try checkMemory(
                Parameter.bytes(count: (model.head.output.inputs + 1) * Int(outputs)), "the output layer")
            model.resetOutput(outputs: Int(outputs), deviation: deviation, seed: seed)
        }
    }
}

@_cdecl("tsimcne_model_transform")
public func tsimcne_model_transform(
    _ model: tsimcne_handle, _ images: UnsafePointer<tsimcne_images>?, _ kind: Int32, _ threads: Int32,
    _ output: UnsafeMutablePointer<Float>?, _ outputCount: Int64
) -> Int32 {
    status {
        let batch = try imageBatch(images, suppliedLater: false)
        let output = try required(output, "output")
        let kind = try outputKind(kind)
        let pool = ThreadPool(threads: try threadCount(threads))
        try usingModel(model, .reads) { model in
            try checkImages(batch, fit: model)
            let wanted = Int64(batch.count * model.columns(of: kind))
            guard outputCount == wanted else {
                throw Failure.argument("output_count: got \(outputCount), want \(wanted)")
            }
            try model.transform(batch, kind, into: output, pool: pool) {
                try checkMemory($0, "mapping images of this size")
            }
        }
    }
}

private func outputKind(_ number: Int32) throws -> Model.Output {
    try check(number, in: 0...Int32(TSIMCNE_OUTPUT_COUNT) - 1, "output_kind")
    switch Int(number) {
    case TSIMCNE_OUTPUT_MAP: return .map
    case TSIMCNE_OUTPUT_FEATURES: return .features
    default: return .levels
    }
}

@_cdecl("tsimcne_model_destroy")
public func tsimcne_model_destroy(_ model: tsimcne_handle) -> Int32 {
    // A trainer that still lives keeps the memory; its calls fail from now on.
    status { try Registry.destroy(model) { _ = try $0.model(model) } }
}
