import CTSimCNE
import TSimCNE

@_cdecl("tsimcne_infonce")
public func tsimcne_infonce(
    _ embeddings: UnsafePointer<Float>?, _ images: Int64, _ views: Int64, _ dimension: Int64, _ metric: Int32,
    _ temperature: Float, _ degrees: Float, _ threads: Int32, _ loss: UnsafeMutablePointer<Double>?,
    _ gradient: UnsafeMutablePointer<Float>?
) -> Int32 {
    status {
        let embeddings = try checkedEmbeddings(embeddings, images, views, dimension)
        let loss = try required(loss, "loss")
        let similarity = try similarity(metric, temperature, degrees, "")
        let pool = try lossPool(threads, images, views, dimension, similarity)
        loss.pointee = InfoNCE.evaluate(
            embeddings, images: Int(images), views: Int(views), dimension: Int(dimension),
            similarity, gradient: gradient, pool: pool)
    }
}

@_cdecl("tsimcne_infonce_sums")
public func tsimcne_infonce_sums(
    _ embeddings: UnsafePointer<Float>?, _ images: Int64, _ views: Int64, _ dimension: Int64, _ metric: Int32,
    _ temperature: Float, _ degrees: Float, _ threads: Int32, _ first: Int64, _ count: Int64,
    _ scales: UnsafeMutablePointer<Float>?, _ loss: UnsafeMutablePointer<Double>?
) -> Int32 {
    status {
        let embeddings = try checkedEmbeddings(embeddings, images, views, dimension)
        let (scales, loss) = (try required(scales, "scales"), try required(loss, "loss"))
        let similarity = try similarity(metric, temperature, degrees, "")
        let part = InfoNCEPart(
            embeddings, images: Int(images), views: Int(views), dimension: Int(dimension), similarity,
            part: try part(first, count, of: images),
            pool: try lossPool(threads, images, views, dimension, similarity))
        loss.pointee = part.sums(into: scales)
    }
}

@_cdecl("tsimcne_infonce_gradient")
public func tsimcne_infonce_gradient(
    _ embeddings: UnsafePointer<Float>?, _ images: Int64, _ views: Int64, _ dimension: Int64, _ metric: Int32,
    _ temperature: Float, _ degrees: Float, _ threads: Int32, _ first: Int64, _ count: Int64,
    _ scales: UnsafePointer<Float>?, _ gradient: UnsafeMutablePointer<Float>?,
    _ byTemperature: UnsafeMutablePointer<Double>?
) -> Int32 {
    status {
        let embeddings = try checkedEmbeddings(embeddings, images, views, dimension)
        let (scales, gradient) = (try required(scales, "scales"), try required(gradient, "gradient"))
        let byTemperature = try required(byTemperature, "by_temperature")
        let similarity = try similarity(metric, temperature, degrees, "")
        let part = InfoNCEPart(
            embeddings, images: Int(images), views: Int(views), dimension: Int(dimension), similarity,
            part: try part(first, count, of: images),
            pool: try lossPool(threads, images, views, dimension, similarity))
        byTemperature.pointee = part.gradient(scales: scales, into: gradient)
    }
}

private func checkedEmbeddings(
    _ embeddings: UnsafePointer<Float>?, _ images: Int64, _ views: Int64, _ dimension: Int64
) throws -> UnsafePointer<Float> {
    let embeddings = try required(embeddings, "embeddings")
    try check(images, in: 1...1 << 24, "images")
    try check(views, in: 2...16, "views")
    try check(dimension, in: 1...4096, "dimension")
    return embeddings
}

/// Threads for a loss of this size, where there is memory for it.
private func lossPool(
    _ threads: Int32, _ images: Int64, _ views: Int64, _ dimension: Int64, _ similarity: Similarity
) throws -> ThreadPool {
    let pool = ThreadPool(threads: try threadCount(threads))
    try checkMemory(
        InfoNCE.plannedBytes(
            images: Int(images), views: Int(views), dimension: Int(dimension), similarity,
            threads: pool.threads),
        "the loss of \(images) images in \(views) views of \(dimension) values")
    return pool
}

private func part(_ first: Int64, _ count: Int64, of images: Int64) throws -> Range<Int> {
    try check(first, in: 0...images - 1, "first")
    try check(count, in: 1...images - first, "count")
    return Int(first)..<Int(first + count)
}
