import CTSimCNE
import TSimCNE

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
