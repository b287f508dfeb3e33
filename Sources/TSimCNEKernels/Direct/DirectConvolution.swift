/// Forward convolution without a matrix of neighbourhoods.
///
/// In a zero-padded NHWC plane, the neighbourhood of an output is `kernel` runs of `kernel * channels`
/// contiguous floats, and that of the next output lies `stride * channels` further on: rows of a matrix
/// product with overlapping memory. The plane is copied with its border into scratch of its own, where
/// it stays in the second-level cache.
struct DirectConvolution: ConvolutionForm {
    let geometry: ConvolutionGeometry
    /// Whether this is the data gradient of the geometry that `geometry` is the transposed of.
    private let turned: Bool
    private let panels: Panels
    /// Contiguous floats of a neighbourhood's row.
    private let run: Int

    init(_ geometry: ConvolutionGeometry, turned: Bool) {
        self.geometry = geometry
        self.turned = turned
        panels = Panels(columns: geometry.outputChannels)
        run = geometry.kernel * geometry.input.channels
    }

    /// Floats of the packed weights.
    var packedCount: Int { geometry.kernel * run * panels.width }

    private var paddedWidth: Int { geometry.input.width + 2 * geometry.padding }
    private var paddedHeight: Int { geometry.input.height + 2 * geometry.padding }
    private var paddedCount: Int { paddedHeight * paddedWidth * geometry.input.channels }

    var scratchCount: Int { geometry.imagesPerSlice * paddedCount }

    /// Slices of the packing, one for each kernel element.
    var packSlices: Int { geometry.kernel * geometry.kernel }

    func pack(
        slice tap: Int, weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let inputs = geometry.input.channels
        let outputs = geometry.outputChannels
        let opposite = packSlices - 1 - tap
        packTap(
            tap, source: weight + (turned ? opposite : tap) * inputs * outputs,
            rowStride: turned ? 1 : outputs, columnStride: turned ? inputs : 1, into: packed)
    }

    private func packTap(
        _ tap: Int, source: UnsafePointer<Float>, rowStride: Int, columnStride: Int,
        into packed: UnsafeMutablePointer<Float>
    ) {
        let inputs = geometry.input.channels
        let rows = geometry.kernel * run
        var start = packed
        for panel in panels.elements {
            for r in 0..<inputs {
                let line = start + (tap &* inputs &+ r) &* panel.width
                let values = source + (r &* rowStride &+ panel.column &* columnStride)
                for c in 0..<panel.columns { line[c] = values[c &* columnStride] }
                for c in panel.columns..<panel.width { line[c] = 0 }
            }
            start += rows &* panel.width
        }
    }

    var slices: Int { geometry.slices }

    func positions(ofSlice slice: Int) -> Int {
        geometry.images(ofSlice: slice).count * geometry.output.height * geometry.output.width
    }

    /// Sums of a block of weights are stored before the next one's are added.
    static var storesOnce: Bool { false }

    func run<R: Reader, W: Writer>(
        slices: Range<Int>, reader: R, packed: UnsafePointer<Float>, writer: W,
        output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        for slice in slices {
            let images = geometry.images(ofSlice: slice)
            var source = UnsafePointer(scratch)
            if geometry.padding == 0, let plain = reader.plainValues {
                source = plain + images.lowerBound * paddedCount
            } else {
                for image in images {
                    copyPadded(
                        reader, image: image, into: scratch + (image - images.lowerBound) * paddedCount)
                }
            }
            multiply(images: images, source: source, packed: packed, output: output)
            if W.self == PlainWriter.self { continue }
            // What was written is still in the second-level cache.
            let plane = geometry.output.height * geometry.output.width
            writer.ofSlice(slice).write(
                output + images.lowerBound * plane * geometry.outputChannels, to: output,
                position: images.lowerBound * plane, count: images.count * plane,
                channels: geometry.outputChannels, isFirst: true)
        }
    }

    private func multiply(
        images: Range<Int>, source: UnsafePointer<Float>, packed: UnsafePointer<Float>,
        output: UnsafeMutablePointer<Float>
    ) {
        let sourceCount = paddedCount
        let rows = geometry.kernel * run
        var start = packed
        for panel in panels.elements {
            let block = depthBlock(panelWidth: panel.width)
            if rows <= block {
                multiply(
                    images: images, source: source, sourceCount: sourceCount, packed: start, panel: panel,
                    segments: geometry.kernel, depth: run, accumulate: false, output: output)
            } else {
                for kernelRow in 0..<geometry.kernel {
                    var first = 0
                    while first < run {
                        let depth = min(block, run &- first)
                        multiply(
                            images: images,
                            source: source + (kernelRow &* paddedWidth &* geometry.input.channels &+ first),
                            sourceCount: sourceCount,
                            packed: start + (kernelRow &* run &+ first) &* panel.width, panel: panel,
                            segments: 1, depth: depth, accumulate: kernelRow > 0 || first > 0, output: output)
                        first &+= depth
                    }
                }
            }
            start += rows &* panel.width
        }
    }

    /// One block of weights against all output rows of `images`.
    private func multiply(
        images: Range<Int>, source: UnsafePointer<Float>, sourceCount: Int, packed: UnsafePointer<Float>,
        panel: Panels.Element, segments: Int, depth: Int, accumulate: Bool,
        output: UnsafeMutablePointer<Float>
    ) {
        let shape = geometry.output
        let channels = geometry.input.channels
        let rowCount = paddedWidth &* channels
        var product = TileProduct(
            a: source, rowStrideA: geometry.stride &* channels, depthStrideA: 1, segmentStrideA: rowCount,
            b: packed, depthStrideB: panel.width, segmentStrideB: run &* panel.width,
            segments: segments, depth: depth,
            c: output, rowStrideC: shape.channels, accumulate: accumulate)
        if geometry.padding == 0, geometry.stride == 1 {
            // Nothing lies between rows and planes: all positions are rows of one product.
            let plane = shape.height &* shape.width
            product.c = output + (images.lowerBound &* plane &* shape.channels &+ panel.column)
            product.run(rows: images.count &* plane, columns: panel.columns, vectors: panel.vectors)
            return
        }
        var plane = source
        for image in images {
            for y in 0..<shape.height {
                product.a = plane + y &* geometry.stride &* rowCount
                product.c =
                    output + ((image &* shape.height &+ y) &* shape.width &* shape.channels &+ panel.column)
                product.run(rows: shape.width, columns: panel.columns, vectors: panel.vectors)
            }
            plane += sourceCount
        }
    }

    private func copyPadded<R: Reader>(_ reader: R, image: Int, into target: UnsafeMutablePointer<Float>) {
        let input = geometry.input
        let line = input.width &* input.channels
        let border = geometry.padding &* input.channels
        let paddedLine = line &+ 2 &* border
        target.update(repeating: 0, count: geometry.padding &* paddedLine)
        for y in 0..<input.height {
            let row = target + (y &+ geometry.padding) &* paddedLine
            row.update(repeating: 0, count: border)
            let position = (image &* input.height &+ y) &* input.width
            if let plain = reader.plainValues {
                (row + border).update(from: plain + position &* input.channels, count: line)
            } else {
                reader.copy(
                    from: position, count: input.width, channels: input.channels, into: row + border)
            }
            (row + border + line).update(repeating: 0, count: border)
        }
        (target + (input.height &+ geometry.padding) &* paddedLine)
            .update(repeating: 0, count: geometry.padding &* paddedLine)
    }
}
