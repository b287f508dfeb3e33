/// The gradient of a 3×3 convolution with respect to its weights, by the transposes of Winograd's
/// transforms: with V the transformed inputs and M the transformed gradients of a tile,
///
///     dW = Gᵀ [ Σ_tiles V ⊙ M ] G,
///
/// where frequencies of the same weight go into the same sum. See docs/derivations/winograd.md. A slice
/// works on a block of input and output channels and on a group of tiles. Groups are added in their order
/// when the sums are transformed back; where there is only one, its slices do that themselves, while the
/// sums are in the cache.
struct WinogradWeightGradient<Transforms: WinogradGradientTransforms>: Sendable {
    let geometry: ConvolutionGeometry
    private let precision: Precision
    private let tiles: WinogradTiles<Transforms>
    private let inputBlock: Int
    private let outputBlock: Int
    private let panels: Panels
    private let tilesPerBlock: Int
    private let inputLayout: FrequencyLayout<Transforms>
    private let outputLayout: FrequencyLayout<Transforms>
    private let groups: Int

    init(_ geometry: ConvolutionGeometry, _ precision: Precision) {
        self.geometry = geometry
        self.precision = precision
        tiles = WinogradTiles(input: geometry.input, output: geometry.output)
        inputBlock = WinogradWeightGradient.block(geometry.input.channels)
        outputBlock = WinogradWeightGradient.block(geometry.outputChannels)
        panels = Panels(columns: outputBlock)
        let frequencies = Transforms.frequencies * Transforms.frequencies
        tilesPerBlock = min(128, 131072 / (frequencies * (inputBlock + outputBlock)) / 8 * 8)
        let rows = tilesPerBlock / precision.perElement
        inputLayout = FrequencyLayout(tiles: rows, channels: inputBlock)
        outputLayout = FrequencyLayout(tiles: rows, channels: outputBlock)
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
    /// Floats of a slice's sums.
    private var sumStride: Int { Transforms.matrices * blockCount }

    /// Whether a slice's sums are all there are of its channels.
    var finishesAtOnce: Bool { groups == 1 }

    var slices: Int { groups * inputBlocks * outputBlocks }
    var scratchCount: Int {
        inputLayout.count + outputLayout.count + WinogradTiles<Transforms>.stripCount
            + (finishesAtOnce ? sumStride : 0)
    }
    /// Floats of the sums: (group, input block, output block, matrix, in, out).
    var sumCount: Int { slices * sumStride }

    /// Writes the sums of one slice, or their share of the gradient if it ``finishesAtOnce``.
    func run<Input: Reader, Gradient: Reader>(
        slice: Int, input: Input, outputGradient: Gradient, sums: UnsafeMutablePointer<Float>?,
        gradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let group = slice / (inputBlocks &* outputBlocks)
        let first = slice / outputBlocks % inputBlocks &* inputBlock
        let second = slice % outputBlocks &* outputBlock
        let size = (tiles.count + groups - 1) / groups
        let end = min(tiles.count, (group + 1) * size)
        let gradients = scratch + inputLayout.count
        let strip = gradients + outputLayout.count
        let sums =
            sums.map { $0 + slice &* sumStride } ?? strip + WinogradTiles<Transforms>.stripCount
        var tile = group * size
        if tile >= end { return sums.update(repeating: 0, count: sumStride) }
        var accumulate = false
        while tile < end {
            let range = tile..<min(end, tile &+ tilesPerBlock)
            let (inputs, outputs) = (first..<first &+ inputBlock, second..<second &+ outputBlock)
            @inline(__always)
            func analyse<Elements: FrequencyElements>(_: Elements.Type) {
                tiles.analyse(
                    Transforms.Input.self, Elements.self, range, of: tiles.input, channels: inputs,
                    from: input, into: scratch, layout: inputLayout, strip: strip)
                tiles.analyse(
                    Transforms.OutputGradient.self, Elements.self, range, of: tiles.output,
                    channels: outputs, from: outputGradient, into: gradients, layout: outputLayout,
                    strip: strip)
            }
            switch precision {
            case .single: analyse(SingleNumbers.self)
            case .bfloat16: analyse(PairsOfRows.self)
            }
            let depth = (range.count &+ precision.perElement &- 1) / precision.perElement
            let next = range.upperBound..<min(end, range.upperBound &+ tilesPerBlock)
            let nextInput = next.isEmpty ? nil : tiles.prefetchInput(next, channels: inputs)
            let nextGradient = next.isEmpty ? nil : tiles.prefetchOutput(next, channels: outputs)
            for matrix in 0..<Transforms.matrices {
                nextInput?.forEachLine(part: matrix, of: Transforms.matrices) { input.prefetch($0) }
                nextGradient?.forEachLine(part: matrix, of: Transforms.matrices) {
                    outputGradient.prefetch($0)
                }
                for panel in panels.elements {
                    TileProduct(
                        a: scratch + inputLayout.first(matrix), rowStrideA: 1, depthStrideA: inputBlock,
                        b: gradients + (outputLayout.first(matrix) &+ panel.column),
                        depthStrideB: outputBlock,
                        depth: depth &* FrequencyLayout<Transforms>.rows(matrix),
                        c: sums + (matrix &* blockCount &+ panel.column), rowStrideC: outputBlock,
                        accumulate: accumulate, precision: precision
                    ).run(rows: inputBlock, columns: panel.columns, vectors: panel.vectors)
                }
            }
            accumulate = true
            tile = range.upperBound
        }
        if finishesAtOnce {
            for row in 0..<inputBlock {
                finish(row: row, ofBlock: first, second, sums: sums, into: gradient)
            }
        }
    }

    /// Slices of ``finish(slice:sums:into:)``: input channels.
    var finishSlices: Int { geometry.input.channels }

    /// Adds the groups and transforms the sums of one input channel to gradients.
    func finish(slice: Int, sums: UnsafePointer<Float>, into gradient: UnsafeMutablePointer<Float>) {
        let (block, row) = (slice / inputBlock, slice % inputBlock)
        for column in 0..<outputBlocks {
            finish(
                row: row, ofBlock: block &* inputBlock, column &* outputBlock,
                sums: sums + (block &* outputBlocks &+ column) &* sumStride, into: gradient)
        }
    }

    /// The same for row `row` of the block of channels that begins with `firstInput` and `firstOutput`.
    private func finish(
        row: Int, ofBlock firstInput: Int, _ firstOutput: Int, sums: UnsafePointer<Float>,
        into gradient: UnsafeMutablePointer<Float>
    ) {
        let width = Lanes.scalarCount
        let (inputs, outputs) = (geometry.input.channels, geometry.outputChannels)
        let (weights, matrices) = (Transforms.weights, Transforms.matrices)
        let perGroup = inputBlocks &* outputBlocks &* sumStride
        withUnsafeTemporaryAllocation(of: Float.self, capacity: (matrices + 3 * weights) * width) { buffer in
            let total = buffer.baseAddress!
            let between = total + matrices &* width
            var column = 0
            while column < outputBlock {
                let source = sums + (row &* outputBlock &+ column)
                for matrix in 0..<matrices {
                    var sum = (source + matrix &* blockCount).lanes(0)
                    for group in 1..<max(1, groups) {
                        sum += (source + (group &* perGroup &+ matrix &* blockCount)).lanes(0)
                    }
                    total.store(sum, matrix &* width)
                }
                for j in 0..<weights {
                    Transforms.weightGradient({ total.lanes((weights &* $0 &+ j) &* width) }) {
                        between.store($1, (weights &* $0 &+ j) &* width)
                    }
                }
                for i in 0..<3 {
                    let line = 3 &* i &* inputs &+ firstInput &+ row
                    let cell = gradient + (line &* outputs &+ firstOutput &+ column)
                    Transforms.weightGradient({ between.lanes((weights &* i &+ $0) &* width) }) {
                        cell.store($1, $0 &* inputs &* outputs)
                    }
                }
                column &+= width
            }
        }
    }
}
