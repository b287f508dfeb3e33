import CTSimCNE
import TSimCNE
import TSimCNEKernels

@_cdecl("tsimcne_patches_describe")
public func tsimcne_patches_describe(
    _ patches: UnsafePointer<tsimcne_patches>?, _ images: UnsafePointer<tsimcne_images>?, _ threads: Int32,
    _ output: UnsafeMutablePointer<Float>?, _ outputCount: Int64
) -> Int32 {
    status {
        let patches = try structure(patches, "patches", \.struct_size)
        let batch = try imageBatch(images, suppliedLater: false)
        let output = try required(output, "output")
        let grid = try patchGrid(patches, of: batch)
        let (count, components) = (Int(patches.words), Int(patches.components))
        let vectors = try wordVectors(patches, grid)
        let whitening = try required(patches.whitening, "patches.whitening")
        let words = try required(patches.word_values, "patches.word_values")
        let columns = vectors == nil ? count : Int(patches.cells * patches.cells * patches.dimension)
        guard outputCount == Int64(batch.count * columns) else {
            throw Failure.argument("output_count: got \(outputCount), want \(batch.count * columns)")
        }
        let pool = ThreadPool(threads: try threadCount(threads))
        let bytes = PatchWords.bytes(
            grid: grid, components: components, count: count,
            dimension: vectors == nil ? 0 : Int(patches.dimension))
        let image = batch.imageCount
        try checkMemory(
            bytes.shared + pool.threads * (bytes.thread + 4 * image), "comparing patches of such images")
        let described = PatchWords(
            grid: grid, whitening: whitening, components: components, words: words, count: count,
            threshold: patches.threshold, vectors: vectors)
        let program = Program()
        program.add("patches", slices: batch.count, scratch: described.scratchCount + image) {
            batch.copy($0, into: $1)
            described.describe($1, into: output + $0 * columns, scratch: $1 + image)
        }
        program.run(on: pool)
    }
}

private func patchGrid(_ patches: tsimcne_patches, of images: ImageBatch) throws -> PatchGrid {
    try NumberTable("patches").check(patches, "patches")
    guard !images.isVectors, Int(patches.side) <= min(images.height, images.width) else {
        throw Failure.argument(
            "patches.side: got \(patches.side), want 1 to \(min(images.height, images.width))")
    }
    let grid = PatchGrid(
        height: images.height, width: images.width, channels: images.channels, side: Int(patches.side),
        stride: Int(patches.stride))
    guard grid.depth <= 4096 else {
        throw Failure.argument("patches.side: got patches of \(grid.depth) values, want at most 4096")
    }
    return grid
}

private func wordVectors(_ patches: tsimcne_patches, _ grid: PatchGrid) throws -> PatchWords.Vectors? {
    guard let values = patches.vectors else { return nil }
    let most = Int32(min(grid.rows, grid.columns))
    try check(patches.cells, in: 1...most, "patches.cells")
    return PatchWords.Vectors(values: values, dimension: Int(patches.dimension), cells: Int(patches.cells))
}
