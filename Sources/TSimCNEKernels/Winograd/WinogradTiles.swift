/// The tiles that cover the output planes of a convolution, counted through all images.
struct WinogradTiles<Transforms: WinogradTransforms>: Sendable {
    let input: Shape
    let output: Shape
    let rows: Int
    let columns: Int

    init(input: Shape, output: Shape) {
        self.input = input
        self.output = output
        rows = (output.height + Transforms.outputs - 1) / Transforms.outputs
        columns = (output.width + Transforms.outputs - 1) / Transforms.outputs
    }

    var count: Int { output.images * rows * columns }

    /// Output positions of a range of tiles.
    func positions(of tiles: Range<Int>) -> Int {
        var count = 0
        forEachRun(tiles) { count += height(of: $0) * width(of: $0) }
        return count
    }

    /// The lines of the input planes' rows that the tiles cover.
    func prefetchInput(_ tiles: Range<Int>, channels: Range<Int>) -> Prefetch {
        prefetch(tiles, of: input, step: Transforms.Input.step, channels: channels)
    }

    /// The same of the output planes.
    func prefetchOutput(_ tiles: Range<Int>, channels: Range<Int>) -> Prefetch {
        prefetch(tiles, of: output, step: Transforms.outputs, channels: channels)
    }

    private func prefetch(
        _ tiles: Range<Int>, of shape: Shape, step: Int, channels: Range<Int>
    ) -> Prefetch {
        func first(_ tile: Int) -> Int {
            let row = tile / columns
            return (row / rows &* shape.height &+ min(shape.height, row % rows &* step)) &* shape.width
        }
        let end = first((tiles.upperBound &- 1) / columns &* columns &+ columns)
        return Prefetch(
            positions: first(tiles.lowerBound)..<end, channels: channels, stride: shape.channels)
    }

    /// Neighbouring tiles of one row.
    struct Run {
        let image: Int
        /// Row and column of the first tile.
        let row: Int
        let column: Int
        let tiles: Int
        /// Place of the first tile in the range that was asked for.
        let index: Int
    }

    /// Tiles that are transformed together: what their columns have in common is done once, and stays
    /// in the first-level cache until their rows are done.
    private static var longestRun: Int { 32 / stripStep }
    @inline(__always)
    private static var stripStep: Int { max(Transforms.Input.step, Transforms.outputs) }

    /// Floats of the memory between columns and rows.
    static var stripCount: Int {
        Transforms.frequencies * (stripStep * longestRun + 2) * Lanes.scalarCount
    }

    /// Floats from one row between columns and rows to the next: not a power of two, so that rows do not
    /// share cache sets.
    @inline(__always)
    func stripStride(of run: Run) -> Int {
        (WinogradTiles.stripStep &* run.tiles &+ 2) &* Lanes.scalarCount
    }

    @inline(__always)
    func forEachRun(_ tiles: Range<Int>, _ body: (Run) -> Void) {
        var tile = tiles.lowerBound
        while tile < tiles.upperBound {
            let inImage = tile % (rows &* columns)
            let column = inImage % columns
            let count = min(WinogradTiles.longestRun, columns &- column, tiles.upperBound &- tile)
            body(
                Run(
                    image: tile / (rows &* columns), row: inImage / columns, column: column, tiles: count,
                    index: tile &- tiles.lowerBound))
            tile &+= count
        }
    }

    /// Output rows and columns of a run that lie in the plane.
    @inline(__always)
    func height(of run: Run) -> Int {
        min(Transforms.outputs, output.height &- run.row &* Transforms.outputs)
    }
    @inline(__always)
    func width(of run: Run) -> Int {
        min(Transforms.outputs &* run.tiles, output.width &- run.column &* Transforms.outputs)
    }

    /// Index of a run's first output position.
    @inline(__always)
    func outputPosition(of run: Run) -> Int {
        (run.image &* output.height &+ run.row &* Transforms.outputs) &* output.width
            &+ run.column &* Transforms.outputs
    }
}
