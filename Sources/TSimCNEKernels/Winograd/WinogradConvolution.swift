/// 3×3 convolution, or its data gradient, with fewer multiplications than its definition has
/// (Winograd; Lavin and Gray 2016): a quarter at stride 1, 81 instead of 144 at stride 2.
///
/// A slice transforms a block of tiles, multiplies each of the frequencies with its transformed
/// weights, and transforms back, all in scratch memory that stays in the caches. A tile's bits do not
/// depend on the block that it is in.
struct WinogradConvolution<Transforms: WinogradTransforms>: ConvolutionForm {
    private let weights: WinogradWeights<Transforms>
    private let tiles: WinogradTiles<Transforms>
    private let tilesPerBlock: Int
    /// Blocks of a slice, one after the other.
    private let blocks: Int
    private let inputLayout: FrequencyLayout<Transforms>
    private let outputLayout: FrequencyLayout<Transforms>

    /// - Parameter turned: whether this is a data gradient, of a convolution from `output` to `input`.
    init(input: Shape, output: Shape, turned: Bool, precision: Precision) {
        weights = WinogradWeights(
            inputs: input.channels, outputs: output.channels, turned: turned, precision: precision)
        tiles = WinogradTiles(input: input, output: output)
        tilesPerBlock = WinogradConvolution.tilesPerBlock(channels: input.channels + output.channels)
        // All but the first find their input in the cache; still there are to be slices for many threads.
        blocks = max(1, min(4, tiles.count / tilesPerBlock / 64))
        inputLayout = FrequencyLayout(tiles: tilesPerBlock, channels: weights.depth)
        outputLayout = FrequencyLayout(tiles: tilesPerBlock, channels: output.channels)
    }

    /// Tiles whose frequencies fill half a megabyte; with many channels more, for the transformed weights
    /// come from memory once per block. More than 48 gain nothing, and leave fewer slices to share.
    static func tilesPerBlock(channels: Int) -> Int {
        let frequencies = Transforms.frequencies * Transforms.frequencies
        let least = channels >= 1024 ? 64 : channels > 512 ? 32 : 16
        return max(least, min(48, 131072 / (frequencies * channels) / 8 * 8))
    }

    private var tilesPerSlice: Int { blocks * tilesPerBlock }
    var slices: Int { (tiles.count + tilesPerSlice - 1) / tilesPerSlice }
    var scratchCount: Int { inputLayout.count + outputLayout.count + WinogradTiles<Transforms>.stripCount }

    var packedCount: Int { weights.count }
    var packSlices: Int { weights.slices }
    var packScratchCount: Int { weights.scratchCount }

    func pack(
        slice: Int, weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        weights.pack(slice: slice, weight: weight, into: packed, scratch: scratch)
    }

    func positions(ofSlice slice: Int) -> Int { tiles.positions(of: range(ofSlice: slice)) }

    private func range(ofSlice slice: Int) -> Range<Int> {
        slice &* tilesPerSlice..<min(tiles.count, (slice &+ 1) &* tilesPerSlice)
    }

    func run<R: Reader, W: Writer>(
        slice: Int, reader: R, packed: UnsafePointer<Float>, writer: W,
        output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let range = range(ofSlice: slice)
        let writer = writer.ofSlice(slice)
        var first = range.lowerBound
        while first < range.upperBound {
            let block = first..<min(range.upperBound, first &+ tilesPerBlock)
            let next = block.upperBound..<min(range.upperBound, block.upperBound &+ tilesPerBlock)
            run(
                block, next: next, isFirst: first == range.lowerBound, reader: reader, packed: packed,
                writer: writer, output: output, scratch: scratch)
            first = block.upperBound
        }
    }

    private func run<R: Reader, W: Writer>(
        _ block: Range<Int>, next: Range<Int>, isFirst: Bool, reader: R, packed: UnsafePointer<Float>,
        writer: W, output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let products = scratch + inputLayout.count
        let strip = products + outputLayout.count
        let (inputs, outputs) = (0..<weights.inputs, 0..<weights.outputs)
        @inline(__always)
        func analyse<Elements: FrequencyElements>(_: Elements.Type) {
            tiles.analyse(
                Transforms.Input.self, Elements.self, block, of: tiles.input, channels: inputs, from: reader,
                into: scratch, layout: inputLayout, strip: strip)
        }
        switch weights.precision {
        case .single: analyse(SingleNumbers.self)
        case .bfloat16: analyse(PairsOfChannels.self)
        }
        let written = tiles.prefetchOutput(block, channels: outputs)
        let read = next.isEmpty ? nil : tiles.prefetchInput(next, channels: inputs)
        for matrix in 0..<Transforms.matrices {
            multiplyPacked(
                m: block.count &* FrequencyLayout<Transforms>.rows(matrix), k: weights.depth,
                a: scratch + inputLayout.first(matrix), rowStrideA: weights.depth, columnStrideA: 1,
                panels: weights.panels, packed: packed + matrix &* weights.stride,
                c: products + outputLayout.first(matrix), rowStrideC: outputs.count, accumulate: false,
                precision: weights.precision)
            read?.forEachLine(part: matrix, of: Transforms.matrices) { reader.prefetch($0) }
            written.forEachLine(part: matrix, of: Transforms.matrices) {
                W.Stored.prefetch(output, $0)
                writer.prefetch($0)
            }
        }
        tiles.synthesize(
            block, isFirst: isFirst, from: products, layout: outputLayout, into: output, writer: writer,
            strip: strip)
    }
}
