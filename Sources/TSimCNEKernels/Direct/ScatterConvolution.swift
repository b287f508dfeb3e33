/// Data gradient of a convolution with stride 2, where a gather would skip over most of the kernel.
///
/// For each kernel element, every output's gradient is multiplied by the transposed weights and added at
/// the place it came from: a matrix product whose result rows lie `stride * channels` apart.
struct ScatterConvolution: ConvolutionForm {
    let geometry: ConvolutionGeometry
    private let panels: Panels

    init(_ geometry: ConvolutionGeometry) {
        self.geometry = geometry
        panels = Panels(columns: geometry.input.channels)
    }

    var packedCount: Int { geometry.kernel * geometry.kernel * tapCount }
    private var tapCount: Int { geometry.outputChannels * panels.width }
    private var paddedWidth: Int { geometry.input.width + 2 * geometry.padding }
    private var paddedHeight: Int { geometry.input.height + 2 * geometry.padding }
    var scratchCount: Int { paddedHeight * paddedWidth * geometry.input.channels }

    /// Slices of the packing, one for each kernel element.
    var packSlices: Int { geometry.kernel * geometry.kernel }

    /// Packs transposed weights (out, in).
    func pack(
        slice tap: Int, weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let outputs = geometry.outputChannels
        panels.pack(
            rows: outputs, source: weight + tap * geometry.input.channels * outputs, rowStride: 1,
            columnStride: outputs, into: packed + tap * tapCount)
    }

    var slices: Int { geometry.slices }

    func positions(ofSlice slice: Int) -> Int {
        geometry.images(ofSlice: slice).count * geometry.input.height * geometry.input.width
    }

    /// Computes the input gradients of slices' images, one after the other in a padded plane.
    func run<R: Reader, W: Writer>(
        slices: Range<Int>, reader: R, packed: UnsafePointer<Float>, writer: W,
        output inputGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        for slice in slices {
            guard let outputGradient = reader.plainValues else {
                preconditionFailure("the scattering form reads stored values")
            }
            let input = geometry.input
            let output = geometry.output
            let rowCount = paddedWidth &* input.channels
            let images = geometry.images(ofSlice: slice)
            let writer = writer.ofSlice(slice)
            for image in images {
                scratch.update(repeating: 0, count: scratchCount)
                for tap in 0..<geometry.kernel &* geometry.kernel {
                    let (kernelRow, kernelColumn) = (tap / geometry.kernel, tap % geometry.kernel)
                    for y in 0..<output.height {
                        multiplyPacked(
                            m: output.width, k: output.channels,
                            a: outputGradient + (image &* output.height &+ y) &* output.width
                                &* output.channels,
                            rowStrideA: output.channels, columnStrideA: 1,
                            panels: panels, packed: packed + tap &* tapCount,
                            c: scratch
                                + ((y &* geometry.stride &+ kernelRow) &* rowCount
                                    &+ kernelColumn &* input.channels),
                            rowStrideC: geometry.stride &* input.channels, accumulate: true)
                    }
                }
                for y in 0..<input.height {
                    let row = (y &+ geometry.padding) &* rowCount &+ geometry.padding &* input.channels
                    writer.write(
                        scratch + row, to: inputGradient,
                        position: (image &* input.height &+ y) &* input.width,
                        count: input.width, channels: input.channels,
                        isFirst: y == 0 && image == images.lowerBound)
                }
            }
        }
    }
}
