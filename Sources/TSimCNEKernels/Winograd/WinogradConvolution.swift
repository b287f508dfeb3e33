/// 3×3 convolution, or its data gradient, with fewer multiplications than its definition has
/// (Winograd; Lavin and Gray 2016): a quarter at stride 1, 81 instead of 144 at stride 2.
///
/// A block of tiles is transformed, each of its frequencies multiplied with its transformed weights, and
/// transformed back, all in scratch memory that stays in the caches. A product is written where the frequencies
/// of the product before it were. A tile's bits do not depend on the block that it is in, nor on how many
/// blocks are multiplied one after the other with the same matrix of weights.
struct WinogradConvolution<Transforms: WinogradTransforms>: ConvolutionForm {
    private let weights: WinogradWeights<Transforms>
    private let tiles: WinogradTiles<Transforms>
    private let tilesPerBlock: Int
    /// Blocks of a slice, one after the other.
    private let blocks: Int
    /// Floats of the second-level cache.
    private let cache: Int
    private let inputLayout: FrequencyLayout<Transforms>
    private let outputLayout: FrequencyLayout<Transforms>

    /// - Parameters:
    ///   - turned: whether this is a data gradient, of a convolution from `output` to `input`.
    ///   - cache: bytes of the second-level cache.
    init(
        input: Shape, output: Shape, turned: Bool, precision: Precision, cache: Int = secondLevelCache
    ) {
        weights = WinogradWeights(
            inputs: input.channels, outputs: output.channels, turned: turned, precision: precision)
        tiles = WinogradTiles(input: input, output: output)
        tilesPerBlock = WinogradConvolution.tilesPerBlock(channels: input.channels + output.channels)
        // All but the first find their input in the cache; still there are to be slices for many threads.
        blocks = max(1, min(4, tiles.count / tilesPerBlock / 64))
        let stride = FrequencyLayout<Transforms>.stride(
            tiles: tilesPerBlock, channels: max(weights.depth, output.channels))
        inputLayout = FrequencyLayout(tiles: tilesPerBlock, channels: weights.depth, stride: stride)
        outputLayout = FrequencyLayout(tiles: tilesPerBlock, channels: output.channels, stride: stride)
        self.cache = cache / MemoryLayout<Float>.size
    }

    /// Blocks that are multiplied together. Where the weights stay in the cache, one block after the other: its
    /// frequencies do, too. Else as many as find room beside a matrix of the weights, each of which comes from
    /// memory once for all of them.
    private var blocksTogether: Int {
        weights.count + blockCount <= cache / 4 * 3 ? 1 : max(1, min(8, cache / 2 / blockCount))
    }

    /// Tiles whose frequencies, before and behind the products, are half a megabyte; with many channels more,
    /// for the transformed weights come from memory once per block. More than 48 gain nothing, and leave fewer
    /// slices to share.
    static func tilesPerBlock(channels: Int) -> Int {
        let frequencies = Transforms.frequencies * Transforms.frequencies
        let least = channels >= 1024 ? 64 : channels > 512 ? 32 : 16
        return max(least, min(48, 131072 / (frequencies * channels) / 8 * 8))
    }

    private var tilesPerSlice: Int { blocks * tilesPerBlock }
    var slices: Int { (tiles.count + tilesPerSlice - 1) / tilesPerSlice }
    /// While some blocks are multiplied, the next ones' input is asked for.
    var together: Int { max(1, max(4, blocksTogether) / blocks) }
    var scratchCount: Int { blocksTogether * blockCount + WinogradTiles<Transforms>.stripCount }

    /// Rows of a tile for the last weight of both axes.
    private static var mostRows: Int { Transforms.shared * Transforms.shared }
    /// How far a block's frequencies lie behind its products.
    private var shift: Int { WinogradConvolution.mostRows &* outputLayout.stride }
    /// Floats of a block's frequencies and products.
    private var blockCount: Int { outputLayout.count &+ shift }

    var packedCount: Int { weights.count }
    var packSlices: Int { weights.slices }
    var packScratchCount: Int { weights.scratchCount }

    func pack(
        slice: Int, weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        weights.pack(slice: slice, weight: weight, into: packed, scratch: scratch)
    }

    func positions(ofSlice slice: Int) -> Int { tiles.positions(of: range(ofSlices: slice..<slice &+ 1)) }

    private func range(ofSlices slices: Range<Int>) -> Range<Int> {
        slices.lowerBound &* tilesPerSlice..<min(tiles.count, slices.upperBound &* tilesPerSlice)
    }

    func run<R: Reader, W: Writer>(
        slices: Range<Int>, reader: R, packed: UnsafePointer<Float>, writer: W,
        output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let all = range(ofSlices: slices)
        let step = blocksTogether &* tilesPerBlock
        var first = all.lowerBound
        while first < all.upperBound {
            let group = first..<min(all.upperBound, first &+ step)
            let next = group.upperBound..<min(all.upperBound, group.upperBound &+ step)
            run(
                group, next: next, reader: reader, packed: packed, writer: writer, output: output,
                scratch: scratch)
            first = group.upperBound
        }
    }

    /// Computes the tiles of some blocks, and asks for the input of the next ones.
    private func run<R: Reader, W: Writer>(
        _ group: Range<Int>, next: Range<Int>, reader: R, packed: UnsafePointer<Float>, writer: W,
        output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let strip = scratch + blocksTogether &* blockCount
        let (inputs, outputs) = (0..<weights.inputs, 0..<weights.outputs)
        @inline(__always)
        func analyse<Elements: FrequencyElements>(_: Elements.Type) {
            forEachBlock(of: group, scratch) { block, memory in
                tiles.analyse(
                    Transforms.Input.self, Elements.self, block, of: tiles.input, channels: inputs,
                    from: reader, into: memory + shift, layout: inputLayout, strip: strip)
            }
        }
        switch weights.precision {
        case .single: analyse(SingleNumbers.self)
        case .bfloat16: analyse(PairsOfChannels.self)
        }
        let written = tiles.prefetchOutput(group, channels: outputs)
        let read = next.isEmpty ? nil : tiles.prefetchInput(next, channels: inputs)
        for matrix in 0..<Transforms.matrices {
            forEachBlock(of: group, scratch) { block, memory in
                multiplyPacked(
                    m: block.count &* FrequencyLayout<Transforms>.rows(matrix), k: weights.depth,
                    a: memory + shift + inputLayout.first(matrix), rowStrideA: weights.depth,
                    columnStrideA: 1,
                    panels: weights.panels, packed: packed + matrix &* weights.stride,
                    c: memory + outputLayout.first(matrix), rowStrideC: outputs.count, accumulate: false,
                    precision: weights.precision)
            }
            read?.forEachLine(part: matrix, of: Transforms.matrices) { reader.prefetch($0) }
            written.forEachLine(part: matrix, of: Transforms.matrices) {
                W.Stored.prefetch(output, $0)
                writer.prefetch($0)
            }
        }
        forEachBlock(of: group, scratch) { block, memory in
            tiles.synthesize(
                block, isFirst: block.lowerBound % tilesPerSlice == 0, from: memory, layout: outputLayout,
                into: output, writer: writer.ofSlice(block.lowerBound / tilesPerSlice), strip: strip)
        }
    }

    /// Calls `body` with each block of some tiles, and its part of the scratch memory.
    @inline(__always)
    private func forEachBlock(
        of group: Range<Int>, _ scratch: UnsafeMutablePointer<Float>,
        _ body: (Range<Int>, UnsafeMutablePointer<Float>) -> Void
    ) {
        var (first, memory) = (group.lowerBound, scratch)
        while first < group.upperBound {
            let block = first..<min(group.upperBound, first &+ tilesPerBlock)
            body(block, memory)
            first = block.upperBound
            memory += blockCount
        }
    }
}
