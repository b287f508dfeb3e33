// The transforms of whole tiles: columns of a run of tiles first, into a strip of memory, then the strip's
// rows; and back. Closures that take or give values are inlined functions: what is called once for each
// vector must not be a call.

extension WinogradTiles {
    /// Transforms channels `channels` of the values of `tiles` in planes of `shape` into frequencies,
    /// laid out as `layout` says, in elements of a product.
    ///
    /// Not inlined: there is a call for each block of tiles, and kernels are compiled for every pair of a reader
    /// and a writer.
    @inline(never)
    func analyse<R: Reader, Analysis: AxisAnalysis, Elements: FrequencyElements>(
        _: Analysis.Type, _: Elements.Type, _ tiles: Range<Int>, of shape: Shape, channels: Range<Int>,
        from reader: R,
        into target: UnsafeMutablePointer<Float>, layout: FrequencyLayout<Transforms>,
        strip: UnsafeMutablePointer<Float>
    ) {
        let width = Lanes.scalarCount
        let line = shape.width &* shape.channels
        forEachRun(tiles) { run in
            let y = run.row &* Analysis.step &- Analysis.padding
            let x = run.column &* Analysis.step &- Analysis.padding
            let columns = (run.tiles &- 1) &* Analysis.step &+ Analysis.values
            let inside = max(0, -x)..<min(columns, shape.width &- x)
            let rows = max(0, -y)..<min(Analysis.values, shape.height &- y)
            let position = (run.image &* shape.height &+ y) &* shape.width &+ x
            let stripStride = stripStride(of: run)
            var c = 0
            while c < channels.count {
                let read = reader.block(channels.lowerBound &+ c)
                for column in 0..<columns {
                    let cell = strip + column &* width
                    let offset = (position &+ column) &* shape.channels &+ channels.lowerBound &+ c
                    @inline(__always) func whole(_ r: Int) -> Lanes { read(offset &+ r &* line) }
                    @inline(__always) func partial(_ r: Int) -> Lanes {
                        rows.contains(r) ? read(offset &+ r &* line) : .zero
                    }
                    @inline(__always) func store(_ r: Int, _ value: Lanes) {
                        cell.store(value, r &* stripStride)
                    }
                    if column < inside.lowerBound || column >= inside.upperBound {
                        for r in 0..<Transforms.frequencies { store(r, .zero) }
                    } else if rows.count == Analysis.values {
                        Analysis.transform(whole, store)
                    } else {
                        Analysis.transform(partial, store)
                    }
                }
                for r in 0..<Transforms.frequencies {
                    let row = layout.rows[r]
                    for tile in 0..<run.tiles {
                        let source = UnsafePointer(
                            strip + (r &* stripStride &+ tile &* Analysis.step &* width))
                        let index = run.index &+ tile
                        let place = row.place(
                            tile: index / Elements.rows, in: target + c / Elements.channels)
                        @inline(__always) func load(_ i: Int) -> Lanes { source.lanes(i &* width) }
                        @inline(__always) func store(_ column: Int, _ value: Lanes) {
                            Elements.store(value, place.pointer(column), row: index)
                        }
                        Analysis.transform(load, store)
                    }
                }
                c &+= width
            }
        }
    }

    /// Writes the outputs of `tiles` from their frequencies. The writer's turn comes when they are all in
    /// the strip: a loop of its own keeps its sums in registers. Not inlined, as ``analyse``.
    @inline(never)
    func synthesize<W: Writer>(
        _ tiles: Range<Int>, isFirst: Bool, from source: UnsafeMutablePointer<Float>,
        layout: FrequencyLayout<Transforms>, into target: UnsafeMutablePointer<Float>, writer: W,
        strip: UnsafeMutablePointer<Float>
    ) {
        let width = Lanes.scalarCount
        let channels = output.channels
        forEachRun(tiles) { run in
            let stripStride = stripStride(of: run)
            let (rows, inside) = (height(of: run), self.width(of: run))
            let position = outputPosition(of: run)
            var c = 0
            while c < channels {
                for r in 0..<Transforms.frequencies {
                    let row = layout.rows[r]
                    for tile in 0..<run.tiles {
                        let cell = strip + (r &* stripStride &+ tile &* Transforms.outputs &* width)
                        let place = row.place(tile: run.index &+ tile, in: source + c)
                        @inline(__always) func load(_ column: Int) -> Lanes { place.load(column) }
                        @inline(__always) func store(_ i: Int, _ value: Lanes) {
                            cell.store(value, i &* width)
                        }
                        Transforms.output(load, store)
                    }
                }
                for column in 0..<inside {
                    let cell = strip + column &* width
                    @inline(__always) func load(_ r: Int) -> Lanes { cell.lanes(r &* stripStride) }
                    @inline(__always) func store(_ r: Int, _ value: Lanes) {
                        cell.store(value, r &* stripStride)
                    }
                    Transforms.output(load, store)
                }
                var write = writer.block(
                    c, isFirst: isFirst && run.index == 0, sample: strip.lanes(0))
                for r in 0..<rows {
                    let cells = strip + r &* stripStride
                    var offset = (position &+ r &* output.width) &* channels &+ c
                    for column in 0..<inside {
                        W.Stored.store(write(cells.lanes(column &* width), offset), target, offset)
                        offset &+= channels
                    }
                }
                writer.keep(write, c)
                c &+= width
            }
        }
    }
}
