/// 3×3 convolution of stride 1 in 36 multiplications for 16 outputs, where the direct form needs 144:
/// Winograd's F(4×4, 3×3) (Lavin and Gray 2016).
///
/// A slice transforms a block of tiles, multiplies each of the 36 frequencies with its transformed
/// weights, and transforms back, all in scratch memory that stays in the second-level cache. A tile's
/// bits do not depend on the block that it is in.
struct WinogradConvolution: Sendable {
    let geometry: ConvolutionGeometry
    private let panels: Panels
    private let tiles: WinogradTiles
    private let tilesPerBlock: Int
    /// Blocks of a slice, one after the other.
    private let blocks: Int

    /// Whether this form is right and worth it; the answer depends on one image's shape only, so that
    /// an image's bits do not depend on its batch.
    static func serves(_ geometry: ConvolutionGeometry) -> Bool {
        geometry.kernel == 3 && geometry.stride == 1 && geometry.input.channels % 16 == 0
            && geometry.outputChannels % 16 == 0 && min(geometry.input.height, geometry.input.width) >= 3
    }

    init(_ geometry: ConvolutionGeometry) {
        self.geometry = geometry
        panels = Panels(columns: geometry.outputChannels)
        tiles = WinogradTiles(geometry.output)
        tilesPerBlock = WinogradConvolution.tilesPerBlock(
            channels: geometry.input.channels + geometry.outputChannels)
        // All but the first find their input in the cache; still there are to be slices for many threads.
        blocks = max(1, min(4, tiles.count / tilesPerBlock / 64))
    }

    /// Tiles whose frequencies fill half a megabyte; with very many channels more, for the transformed
    /// weights come from memory once per block. More than 48 gain nothing, and leave fewer slices to share.
    static func tilesPerBlock(channels: Int) -> Int {
        max(channels >= 1024 ? 64 : 32, min(48, 131072 / (36 * channels) / 8 * 8))
    }

    private var inputs: Int { geometry.input.channels }
    private var outputs: Int { geometry.outputChannels }
    // A stride that is no power of two: frequencies of a tile must not share a cache set.
    private var inputStride: Int { tilesPerBlock * inputs + 16 }
    private var outputStride: Int { tilesPerBlock * outputs + 16 }

    private var tilesPerSlice: Int { blocks * tilesPerBlock }
    var slices: Int { (tiles.count + tilesPerSlice - 1) / tilesPerSlice }
    var scratchCount: Int { 36 * (inputStride + outputStride) + WinogradTiles.stripCount }

    /// Floats of the transformed weights.
    var packedCount: Int { 36 * inputs * panels.width }
    /// Slices of packing: blocks of input channels.
    var packSlices: Int { inputs / 16 }

    /// Transforms weights (kernel row, kernel column, in, out) for the forward pass, a block of rows.
    func pack(slice: Int, weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>) {
        let (inputs, outputs) = (inputs, outputs)
        pack(slice: slice, into: packed) { tap, row, column in
            (weight + ((tap &* inputs &+ row) &* outputs &+ column)).lanes(0)
        }
    }

    /// Floats of scratch that ``packTurned(slice:weight:into:scratch:)`` wants.
    var packScratchCount: Int { 9 * 16 * outputs }

    /// The same, for a data gradient, from weights of the geometry this one is the transposed of.
    func packTurned(
        slice: Int, weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let (inputs, outputs) = (inputs, outputs)
        // Transposed in squares of whole cache lines first: column by column each line would be read for
        // every one of its values.
        for tap in 0..<9 {
            let source = weight + ((8 &- tap) &* outputs &* inputs &+ slice &* 16)
            let target = scratch + tap &* 16 &* outputs
            for block in 0..<outputs / 16 {
                for row in 0..<16 {
                    for column in block &* 16..<block &* 16 &+ 16 {
                        target[row &* outputs &+ column] = source[column &* inputs &+ row]
                    }
                }
            }
        }
        let turned = UnsafePointer(scratch)
        pack(slice: slice, into: packed) { tap, row, column in
            (turned + ((tap &* 16 &+ row % 16) &* outputs &+ column)).lanes(0)
        }
    }

    @inline(__always)
    private func pack(
        slice: Int, into packed: UnsafeMutablePointer<Float>,
        load: (_ tap: Int, _ row: Int, _ column: Int) -> Lanes
    ) {
        let stride = inputs &* panels.width
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 18 * Lanes.scalarCount) { buffer in
            let between = buffer.baseAddress!
            let width = Lanes.scalarCount
            for row in slice &* 16..<slice &* 16 &+ 16 {
                var start = packed
                for panel in panels.elements {
                    for v in 0..<panel.vectors {
                        let column = panel.column &+ v &* width
                        for j in 0..<3 {
                            let u = WinogradTransforms.weight(
                                (load(j, row, column), load(3 &+ j, row, column), load(6 &+ j, row, column)))
                            WinogradTransforms.store(u, between + j &* width, stride: 3 &* width)
                        }
                        let cell = start + (row &* panel.width &+ v &* width)
                        for i in 0..<6 {
                            let line = UnsafePointer(between + 3 &* i &* width)
                            let u = WinogradTransforms.weight(
                                (line.lanes(0), line.lanes(width), line.lanes(2 &* width)))
                            WinogradTransforms.store(u, cell + 6 &* i &* stride, stride: stride)
                        }
                    }
                    start += inputs &* panel.width
                }
            }
        }
    }

    /// Output positions of a slice.
    func positions(ofSlice slice: Int) -> Int { tiles.positions(of: range(ofSlice: slice)) }

    private func range(ofSlice slice: Int) -> Range<Int> {
        slice &* tilesPerSlice..<min(tiles.count, (slice &+ 1) &* tilesPerSlice)
    }

    /// Computes the outputs of the tiles of one slice.
    func forward<R: Reader, W: Writer>(
        slice: Int, reader: R, packed: UnsafePointer<Float>, writer: W,
        output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let range = range(ofSlice: slice)
        let writer = writer.ofSlice(slice)
        var first = range.lowerBound
        while first < range.upperBound {
            let block = first..<min(range.upperBound, first &+ tilesPerBlock)
            let next = block.upperBound..<min(range.upperBound, block.upperBound &+ tilesPerBlock)
            forward(
                block, next: next, isFirst: first == range.lowerBound, reader: reader, packed: packed,
                writer: writer, output: output, scratch: scratch)
            first = block.upperBound
        }
    }

    private func forward<R: Reader, W: Writer>(
        _ block: Range<Int>, next: Range<Int>, isFirst: Bool, reader: R, packed: UnsafePointer<Float>,
        writer: W, output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let products = scratch + 36 &* inputStride
        let strip = products + 36 &* outputStride
        let inputTiles = WinogradTiles(geometry.input)
        inputTiles.transformInput(
            block, channels: 0..<inputs, from: reader, into: scratch, stride: inputStride, strip: strip)
        let written = tiles.prefetch(block, channels: 0..<outputs)
        let read = next.isEmpty ? nil : inputTiles.prefetch(next, channels: 0..<inputs)
        for f in 0..<36 {
            multiplyPacked(
                m: block.count, k: inputs, a: scratch + f &* inputStride, rowStrideA: inputs,
                columnStrideA: 1, panels: panels, packed: packed + f &* inputs &* panels.width,
                c: products + f &* outputStride, rowStrideC: outputs, accumulate: false)
            read?.forEachLine(part: f, of: 36) { reader.prefetch($0) }
            written.forEachLine(part: f, of: 36) {
                UnsafePointer(output).prefetch($0)
                writer.prefetch($0)
            }
        }
        tiles.transformOutput(
            block, isFirst: isFirst, from: products, stride: outputStride, into: output, writer: writer,
            strip: strip)
    }
}
