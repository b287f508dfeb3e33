/// The 4×4 tiles that cover the planes of a tensor of images, counted through all images.
struct WinogradTiles: Sendable {
    let shape: Shape
    let rows: Int
    let columns: Int

    init(_ shape: Shape) {
        self.shape = shape
        rows = (shape.height + 3) / 4
        columns = (shape.width + 3) / 4
    }

    var count: Int { shape.images * rows * columns }

    /// Output positions of a range of tiles.
    func positions(of tiles: Range<Int>) -> Int {
        var count = 0
        forEachRun(tiles) { count += height(of: $0) * width(of: $0) }
        return count
    }

    /// The lines of a plane's rows that the tiles cover.
    func prefetch(_ tiles: Range<Int>, channels: Range<Int>) -> Prefetch {
        func first(_ tile: Int) -> Int {
            let row = tile / columns
            return (row / rows &* shape.height &+ min(shape.height, row % rows &* 4)) &* shape.width
        }
        let end = first((tiles.upperBound &- 1) / columns &* columns &+ columns)
        return Prefetch(
            positions: first(tiles.lowerBound)..<end, channels: channels, stride: shape.channels)
    }

    /// Neighbouring tiles of one row.
    struct Run {
        let image: Int
        /// Output position at the upper left of the first tile.
        let y: Int
        let x: Int
        let tiles: Int
        /// Place of the first tile in the range that was asked for.
        let index: Int
    }

    /// Tiles that are transformed together: what their columns have in common is done once, and stays
    /// in the first-level cache until their rows are done.
    private static let longestRun = 8

    /// Floats of the memory between columns and rows.
    static var stripCount: Int { 6 * (4 * longestRun + 2) * Lanes.scalarCount }

    @inline(__always)
    func forEachRun(_ tiles: Range<Int>, _ body: (Run) -> Void) {
        var tile = tiles.lowerBound
        while tile < tiles.upperBound {
            let inImage = tile % (rows &* columns)
            let column = inImage % columns
            let count = min(WinogradTiles.longestRun, columns &- column, tiles.upperBound &- tile)
            body(
                Run(
                    image: tile / (rows &* columns), y: inImage / columns &* 4, x: column &* 4, tiles: count,
                    index: tile &- tiles.lowerBound))
            tile &+= count
        }
    }

    /// Floats from one row between columns and rows to the next: not a power of two, so that rows do not
    /// share cache sets.
    @inline(__always)
    private func stripStride(of run: Run) -> Int { (4 &* run.tiles &+ 2) &* Lanes.scalarCount }

    /// Output rows and columns of a run that lie in the plane.
    @inline(__always)
    private func height(of run: Run) -> Int { min(4, shape.height &- run.y) }
    @inline(__always)
    private func width(of run: Run) -> Int { min(4 &* run.tiles, shape.width &- run.x) }

    /// Transforms channels `channels` of the 6×6 inputs of `tiles`: frequency f of the tile number i is
    /// written at target[f · stride + i · channels.count].
    func transformInput<R: Reader>(
        _ tiles: Range<Int>, channels: Range<Int>, from reader: R,
        into target: UnsafeMutablePointer<Float>, stride: Int, strip: UnsafeMutablePointer<Float>
    ) {
        let width = Lanes.scalarCount
        let line = shape.width &* shape.channels
        forEachRun(tiles) { run in
            let count = 4 &* run.tiles &+ 2
            let stripStride = stripStride(of: run)
            let inside = (run.x == 0 ? 1 : 0)..<min(count, shape.width &- run.x &+ 1)
            let rows = (run.y == 0 ? 1 : 0)..<min(6, shape.height &- run.y &+ 1)
            var c = 0
            while c < channels.count {
                let read = reader.block(channels.lowerBound &+ c)
                var offset =
                    ((run.image &* shape.height &+ run.y &- 1) &* shape.width &+ run.x &- 1)
                    &* shape.channels &+ channels.lowerBound &+ c
                for column in 0..<count {
                    let cell = strip + column &* width
                    if column < inside.lowerBound || column >= inside.upperBound {
                        WinogradTransforms.store(WinogradTransforms.zero, cell, stride: stripStride)
                    } else {
                        let d: WinogradTransforms.Six
                        if rows.count == 6 {
                            d = (
                                read(offset), read(offset &+ line), read(offset &+ 2 &* line),
                                read(offset &+ 3 &* line), read(offset &+ 4 &* line),
                                read(offset &+ 5 &* line)
                            )
                        } else {
                            @inline(__always) func row(_ r: Int) -> Lanes {
                                rows.contains(r) ? read(offset &+ r &* line) : .zero
                            }
                            d = (row(0), row(1), row(2), row(3), row(4), row(5))
                        }
                        WinogradTransforms.store(
                            WinogradTransforms.input(d), cell, stride: stripStride)
                    }
                    offset &+= shape.channels
                }
                for row in 0..<6 {
                    var source = UnsafePointer(strip + row &* stripStride)
                    var place = target + (6 &* row &* stride &+ run.index &* channels.count &+ c)
                    for _ in 0..<run.tiles {
                        WinogradTransforms.store(
                            WinogradTransforms.input(WinogradTransforms.load(source, stride: width)), place,
                            stride: stride)
                        source += 4 &* width
                        place += channels.count
                    }
                }
                c &+= width
            }
        }
    }

    /// Transforms the 4×4 outputs' gradients in the same way.
    func transformOutputGradient<R: Reader>(
        _ tiles: Range<Int>, channels: Range<Int>, from reader: R,
        into target: UnsafeMutablePointer<Float>, stride: Int, strip: UnsafeMutablePointer<Float>
    ) {
        let width = Lanes.scalarCount
        let line = shape.width &* shape.channels
        forEachRun(tiles) { run in
            let count = 4 &* run.tiles
            let stripStride = stripStride(of: run)
            let (rows, inside) = (height(of: run), self.width(of: run))
            var c = 0
            while c < channels.count {
                let read = reader.block(channels.lowerBound &+ c)
                var offset =
                    ((run.image &* shape.height &+ run.y) &* shape.width &+ run.x) &* shape.channels
                    &+ channels.lowerBound &+ c
                for column in 0..<count {
                    let cell = strip + column &* width
                    if column >= inside {
                        WinogradTransforms.store(WinogradTransforms.zero, cell, stride: stripStride)
                    } else {
                        @inline(__always) func row(_ r: Int) -> Lanes {
                            r < rows ? read(offset &+ r &* line) : .zero
                        }
                        WinogradTransforms.store(
                            WinogradTransforms.outputGradient((row(0), row(1), row(2), row(3))), cell,
                            stride: stripStride)
                    }
                    offset &+= shape.channels
                }
                for row in 0..<6 {
                    var source = UnsafePointer(strip + row &* stripStride)
                    var place = target + (6 &* row &* stride &+ run.index &* channels.count &+ c)
                    for _ in 0..<run.tiles {
                        WinogradTransforms.store(
                            WinogradTransforms.outputGradient(
                                (
                                    source.lanes(0), source.lanes(width), source.lanes(2 &* width),
                                    source.lanes(3 &* width)
                                )), place, stride: stride)
                        source += 4 &* width
                        place += channels.count
                    }
                }
                c &+= width
            }
        }
    }

    /// Writes the 4×4 outputs of `tiles` from their frequencies, as ``transformInput`` lays them out.
    func transformOutput<W: Writer>(
        _ tiles: Range<Int>, isFirst: Bool, from source: UnsafePointer<Float>, stride: Int,
        into target: UnsafeMutablePointer<Float>, writer: W, strip: UnsafeMutablePointer<Float>
    ) {
        let width = Lanes.scalarCount
        let channels = shape.channels
        let line = shape.width &* channels
        forEachRun(tiles) { run in
            let stripStride = stripStride(of: run)
            let (rows, inside) = (height(of: run), self.width(of: run))
            var c = 0
            while c < channels {
                for row in 0..<6 {
                    var cell = strip + row &* stripStride
                    var place = source + (6 &* row &* stride &+ run.index &* channels &+ c)
                    for _ in 0..<run.tiles {
                        let y = WinogradTransforms.output(WinogradTransforms.load(place, stride: stride))
                        cell.store(y.0, 0)
                        cell.store(y.1, width)
                        cell.store(y.2, 2 &* width)
                        cell.store(y.3, 3 &* width)
                        cell += 4 &* width
                        place += channels
                    }
                }
                let cells = UnsafePointer(strip)
                let sample = WinogradTransforms.output(
                    WinogradTransforms.load(cells, stride: stripStride))
                var write = writer.block(c, isFirst: isFirst && run.index == 0, sample: sample.0)
                var offset =
                    ((run.image &* shape.height &+ run.y) &* shape.width &+ run.x) &* channels &+ c
                for column in 0..<inside {
                    let y = WinogradTransforms.output(
                        WinogradTransforms.load(cells + column &* width, stride: stripStride))
                    target.store(write(y.0, offset), offset)
                    if rows > 1 { target.store(write(y.1, offset &+ line), offset &+ line) }
                    if rows > 2 { target.store(write(y.2, offset &+ 2 &* line), offset &+ 2 &* line) }
                    if rows > 3 { target.store(write(y.3, offset &+ 3 &* line), offset &+ 3 &* line) }
                    offset &+= channels
                }
                writer.keep(write, c)
                c &+= width
            }
        }
    }
}
