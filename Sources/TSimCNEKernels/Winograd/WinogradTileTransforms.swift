// The transforms of whole tiles: columns of a run of tiles first, into a strip of memory, then the strip's
// rows; and back. Closures that take or give values are inlined functions: what is called once for each
// vector must not be a call.

extension WinogradTiles {
    /// Transforms channels `channels` of the values of `tiles` in planes of `shape` into frequencies,
    /// laid out as `layout` says.
    func analyse<R: Reader, Analysis: AxisAnalysis>(
        _: Analysis.Type, _ tiles: Range<Int>, of shape: Shape, channels: Range<Int>, from reader: R,
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
                    let row = layout.row(r)
                    for tile in 0..<run.tiles {
                        let source = UnsafePointer(
                            strip + (r &* stripStride &+ tile &* Analysis.step &* width))
                        let place = row.place(tile: run.index &+ tile, in: target + c)
                        @inline(__always) func load(_ i: Int) -> Lanes { source.lanes(i &* width) }
                        @inline(__always) func store(_ column: Int, _ value: Lanes) {
                            place.store(value, column)
                        }
                        Analysis.transform(load, store)
                    }
                }
                c &+= width
            }
        }
    }

    /// Writes the outputs of `tiles` from their frequencies.
    func synthesize<W: Writer>(
        _ tiles: Range<Int>, isFirst: Bool, from source: UnsafeMutablePointer<Float>,
        layout: FrequencyLayout<Transforms>, into target: UnsafeMutablePointer<Float>, writer: W,
        strip: UnsafeMutablePointer<Float>
    ) {
        let width = Lanes.scalarCount
        let channels = output.channels
        let line = output.width &* channels
        forEachRun(tiles) { run in
            let stripStride = stripStride(of: run)
            let rows = min(Transforms.outputs, output.height &- run.row &* Transforms.outputs)
            let inside = self.width(of: run)
            let position = outputPosition(of: run)
            var c = 0
            while c < channels {
                for r in 0..<Transforms.frequencies {
                    let row = layout.row(r)
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
                var write = writer.block(
                    c, isFirst: isFirst && run.index == 0, sample: firstOutput(strip, stripStride))
                for column in 0..<inside {
                    let cell = UnsafePointer(strip + column &* width)
                    let offset = (position &+ column) &* channels &+ c
                    @inline(__always) func load(_ r: Int) -> Lanes { cell.lanes(r &* stripStride) }
                    // The values first, then what a writer does with each: in one closure that would be a call.
                    var y = EightLanes()
                    @inline(__always) func store(_ r: Int, _ value: Lanes) { y.set(r, value) }
                    Transforms.output(load, store)
                    target.store(write(y.v0, offset), offset)
                    if rows > 1 { target.store(write(y.v1, offset &+ line), offset &+ line) }
                    if rows > 2 { target.store(write(y.v2, offset &+ 2 &* line), offset &+ 2 &* line) }
                    if rows > 3 { target.store(write(y.v3, offset &+ 3 &* line), offset &+ 3 &* line) }
                    if Transforms.outputs == 4 { continue }
                    if rows > 4 { target.store(write(y.v4, offset &+ 4 &* line), offset &+ 4 &* line) }
                    if rows > 5 { target.store(write(y.v5, offset &+ 5 &* line), offset &+ 5 &* line) }
                    if rows > 6 { target.store(write(y.v6, offset &+ 6 &* line), offset &+ 6 &* line) }
                    if rows > 7 { target.store(write(y.v7, offset &+ 7 &* line), offset &+ 7 &* line) }
                }
                writer.keep(write, c)
                c &+= width
            }
        }
    }

    /// The first output of a strip.
    @inline(__always)
    private func firstOutput(_ strip: UnsafeMutablePointer<Float>, _ stripStride: Int) -> Lanes {
        var first = Lanes.zero
        @inline(__always) func load(_ r: Int) -> Lanes { strip.lanes(r &* stripStride) }
        @inline(__always) func store(_ r: Int, _ value: Lanes) { if r == 0 { first = value } }
        Transforms.output(load, store)
        return first
    }
}

/// The outputs of a column, in registers.
private struct EightLanes {
    var v0 = Lanes.zero
    var v1 = Lanes.zero
    var v2 = Lanes.zero
    var v3 = Lanes.zero
    var v4 = Lanes.zero
    var v5 = Lanes.zero
    var v6 = Lanes.zero
    var v7 = Lanes.zero

    @inline(__always)
    mutating func set(_ index: Int, _ value: Lanes) {
        switch index {
        case 0: v0 = value
        case 1: v1 = value
        case 2: v2 = value
        case 3: v3 = value
        case 4: v4 = value
        case 5: v5 = value
        case 6: v6 = value
        default: v7 = value
        }
    }
}
