/// The gradient of a 3×3 convolution of stride 1 with respect to its weights, by the transposes of
/// Winograd's transforms: with V the transformed inputs and M the transformed gradients of a tile,
///
///     dW = Gᵀ [ Σ_tiles V ⊙ M ] G.
///
/// See docs/derivations/winograd.md. A slice works on a block of input and output channels and on a
/// group of tiles; groups are added in their order when the sums are transformed back.
struct WinogradWeightGradient: Sendable {
    let geometry: ConvolutionGeometry
    private let tiles: WinogradTiles
    private let inputBlock: Int
    private let outputBlock: Int
    private let panels: Panels
    private let tilesPerBlock: Int
    let groups: Int

    init(_ geometry: ConvolutionGeometry) {
        self.geometry = geometry
        tiles = WinogradTiles(geometry.output)
        inputBlock = WinogradWeightGradient.block(geometry.input.channels)
        outputBlock = WinogradWeightGradient.block(geometry.outputChannels)
        panels = Panels(columns: outputBlock)
        tilesPerBlock = min(128, 131072 / (36 * (inputBlock + outputBlock)) / 8 * 8)
        let blocks = geometry.input.channels / inputBlock * (geometry.outputChannels / outputBlock)
        groups = max(1, min(16 / blocks, (tiles.count + tilesPerBlock - 1) / tilesPerBlock))
    }

    /// The largest block of at most 64 channels that divides them.
    private static func block(_ channels: Int) -> Int {
        stride(from: 64, to: 0, by: -16).first { channels % $0 == 0 }!
    }

    private var inputBlocks: Int { geometry.input.channels / inputBlock }
    private var outputBlocks: Int { geometry.outputChannels / outputBlock }
    private var blockCount: Int { inputBlock * outputBlock }
    private var inputStride: Int { tilesPerBlock * inputBlock + 16 }
    private var outputStride: Int { tilesPerBlock * outputBlock + 16 }

    var slices: Int { groups * inputBlocks * outputBlocks }
    var scratchCount: Int { 36 * (inputStride + outputStride) + WinogradTiles.stripCount }
    /// Floats of the frequencies' sums: (group, input block, output block, frequency, in, out).
    var sumCount: Int { slices * 36 * blockCount }

    /// Writes the sums of one slice.
    func run<Input: Reader, Gradient: Reader>(
        slice: Int, input: Input, outputGradient: Gradient, sums: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let group = slice / (inputBlocks &* outputBlocks)
        let first = slice / outputBlocks % inputBlocks &* inputBlock
        let second = slice % outputBlocks &* outputBlock
        let size = (tiles.count + groups - 1) / groups
        let end = min(tiles.count, (group + 1) * size)
        let sums = sums + slice &* 36 &* blockCount
        let gradients = scratch + 36 &* inputStride
        let strip = gradients + 36 &* outputStride
        var tile = group * size
        if tile >= end { return sums.update(repeating: 0, count: 36 &* blockCount) }
        var accumulate = false
        while tile < end {
            let range = tile..<min(end, tile &+ tilesPerBlock)
            WinogradTiles(geometry.input).transformInput(
                range, channels: first..<first &+ inputBlock, from: input, into: scratch, stride: inputStride,
                strip: strip)
            tiles.transformOutputGradient(
                range, channels: second..<second &+ outputBlock, from: outputGradient, into: gradients,
                stride: outputStride, strip: strip)
            let next = range.upperBound..<min(end, range.upperBound &+ tilesPerBlock)
            let (nextInput, nextGradient) =
                next.isEmpty
                ? (nil, nil)
                : (
                    WinogradTiles(geometry.input).prefetch(next, channels: first..<first &+ inputBlock),
                    tiles.prefetch(next, channels: second..<second &+ outputBlock)
                )
            for f in 0..<36 {
                nextInput?.forEachLine(part: f, of: 36) { input.prefetch($0) }
                nextGradient?.forEachLine(part: f, of: 36) { outputGradient.prefetch($0) }
                for panel in panels.elements {
                    TileProduct(
                        a: scratch + f &* inputStride, rowStrideA: 1, depthStrideA: inputBlock,
                        b: gradients + (f &* outputStride &+ panel.column), depthStrideB: outputBlock,
                        depth: range.count,
                        c: sums + (f &* blockCount &+ panel.column), rowStrideC: outputBlock,
                        accumulate: accumulate
                    ).run(rows: inputBlock, columns: panel.columns, vectors: panel.vectors)
                }
            }
            accumulate = true
            tile = range.upperBound
        }
    }

    /// Slices of ``finish(slice:sums:into:)``: input channels.
    var finishSlices: Int { geometry.input.channels }

    /// Adds the groups and transforms the sums of one input channel to gradients.
    func finish(slice row: Int, sums: UnsafePointer<Float>, into gradient: UnsafeMutablePointer<Float>) {
        let width = Lanes.scalarCount
        let (inputs, outputs) = (geometry.input.channels, geometry.outputChannels)
        let perGroup = inputBlocks &* outputBlocks &* 36 &* blockCount
        withUnsafeTemporaryAllocation(of: Float.self, capacity: (36 + 18) * width) { buffer in
            let total = buffer.baseAddress!
            let between = total + 36 &* width
            var column = 0
            while column < outputs {
                let block = row / inputBlock &* outputBlocks &+ column / outputBlock
                let source =
                    sums
                    + (block &* 36 &* blockCount &+ row % inputBlock &* outputBlock &+ column % outputBlock)
                for f in 0..<36 {
                    var sum = (source + f &* blockCount).lanes(0)
                    for group in 1..<max(1, groups) {
                        sum += (source + (group &* perGroup &+ f &* blockCount)).lanes(0)
                    }
                    total.store(sum, f &* width)
                }
                for j in 0..<6 {
                    let u = WinogradTransforms.load(total + j &* width, stride: 6 &* width)
                    let g = WinogradTransforms.weightGradient(u)
                    between.store(g.0, j &* width)
                    between.store(g.1, (6 &+ j) &* width)
                    between.store(g.2, (12 &+ j) &* width)
                }
                for i in 0..<3 {
                    let u = WinogradTransforms.load(between + 6 &* i &* width, stride: width)
                    let g = WinogradTransforms.weightGradient(u)
                    let cell = gradient + ((3 &* i &* inputs &+ row) &* outputs &+ column)
                    cell.store(g.0, 0)
                    cell.store(g.1, inputs &* outputs)
                    cell.store(g.2, 2 &* inputs &* outputs)
                }
                column &+= width
            }
        }
    }
}
