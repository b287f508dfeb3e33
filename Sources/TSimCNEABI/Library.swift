import CLibrary
import CTSimCNE
import TSimCNE
import TSimCNEKernels

@_cdecl("tsimcne_abi_version")
public func tsimcne_abi_version() -> Int32 { Int32(TSIMCNE_ABI_VERSION) }

nonisolated(unsafe) private let buildInfo: UnsafePointer<CChar> = {
    func quoted(_ text: String) -> String {
        "\"" + text.filter { $0 != "\"" && $0 != "\\" && $0 >= " " } + "\""
    }
    let precisions = TrainingPrecision.availableWords.map(quoted).joined(separator: ", ")
    let json =
        "{\"version\": \(quoted(TSIMCNE_VERSION)), \"level\": \(quoted(instructionSetLevel)), "
        + "\"threads\": \(usableCores()), \"blas\": \(quoted(BLAS.configuration)), "
        + "\"blas_core\": \(quoted(BLAS.core)), \"blas_used\": \(BLAS.isUsed), "
        + "\"precisions\": [\(precisions)]}"
    return UnsafePointer(strdup(json)!)
}()

@_cdecl("tsimcne_build_info")
public func tsimcne_build_info() -> UnsafePointer<CChar> { buildInfo }

@_cdecl("tsimcne_last_error")
public func tsimcne_last_error() -> UnsafePointer<CChar> { LastError.pointer }

@_cdecl("tsimcne_available_memory")
public func tsimcne_available_memory() -> Int64 { Int64(availableMemory()) }

@_cdecl("tsimcne_augment")
public func tsimcne_augment(
    _ images: UnsafePointer<tsimcne_images>?, _ parameters: UnsafePointer<tsimcne_augmentation>?,
    _ seed: UInt64, _ epoch: UInt64, _ firstIndex: UInt64, _ view: UInt32, _ threads: Int32,
    _ output: UnsafeMutablePointer<Float>?, _ outputCount: Int64
) -> Int32 {
    status {
        let batch = try imageBatch(images, suppliedLater: false)
        guard !batch.isVectors else { throw Failure.argument("images.height: got 1, want 8 to 1024") }
        let parameters = try augmentation(parameters)
        let output = try required(output, "output")
        let wanted = Int64(saturatingProduct(batch.count, batch.imageCount))
        guard outputCount == wanted, wanted < .max else {
            throw Failure.argument("output_count: got \(outputCount), want \(wanted)")
        }
        try check(view, in: 0...255, "view")
        try check(firstIndex, in: 0...UInt64(1) << 40 - UInt64(batch.count), "first_index")
        let pool = ThreadPool(threads: try threadCount(threads))
        let program = Program()
        let scratch = Augmentation.scratchCount(
            height: batch.height, width: batch.width, channels: batch.channels)
        try checkMemory(
            scratch * pool.threads * MemoryLayout<Float>.stride, "making views of images of this size")
        program.add("views", slices: batch.count, scratch: scratch) { i, scratch in
            parameters.makeView(
                of: batch, at: i, imageIndex: Int(firstIndex) + i, seed: seed, epoch: epoch, view: view,
                into: output + i * batch.imageCount, scratch: scratch)
        }
        program.run(on: pool)
    }
}
