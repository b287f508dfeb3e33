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

    /// Image of a tile, and the output position at its upper left.
    @inline(__always)
    func position(_ tile: Int) -> (image: Int, y: Int, x: Int) {
        let perImage = rows &* columns
        let inImage = tile % perImage
        return (tile / perImage, inImage / columns &* 4, inImage % columns &* 4)
    }

    /// Transforms channels `channels` of the 6×6 inputs of `tiles`: frequency f of the tile number i is
    /// written at target[f · stride + i · channels.count].
    func transformInput(
        _ tiles: Range<Int>, channels: Range<Int>, from source: UnsafePointer<Float>,
        activation: Activation?, into target: UnsafeMutablePointer<Float>, stride: Int
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 36 * Lanes.scalarCount) { buffer in
            let between = buffer.baseAddress!
            var place = target
            for tile in tiles {
                let (image, y, x) = position(tile)
                var c = 0
                while c < channels.count {
                    let plane =
                        source
                        + (image &* shape.height &* shape.width &* shape.channels &+ channels.lowerBound
                            &+ c)
                    let activate = activation?.block(channels.lowerBound &+ c)
                    for column in 0..<6 {
                        let d = loadColumn(plane, y: y &- 1, x: x &- 1 &+ column, activate)
                        WinogradTransforms.store(
                            WinogradTransforms.input(d), between + column &* Lanes.scalarCount,
                            stride: 6 &* Lanes.scalarCount)
                    }
                    for row in 0..<6 {
                        let d = WinogradTransforms.load(
                            between + row &* 6 &* Lanes.scalarCount, stride: Lanes.scalarCount)
                        WinogradTransforms.store(
                            WinogradTransforms.input(d), place + (row &* 6 &* stride &+ c), stride: stride)
                    }
                    c &+= Lanes.scalarCount
                }
                place += channels.count
            }
        }
    }

    /// Transforms the 4×4 outputs' gradients in the same way.
    func transformOutputGradient(
        _ tiles: Range<Int>, channels: Range<Int>, from source: UnsafePointer<Float>,
        into target: UnsafeMutablePointer<Float>, stride: Int
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 24 * Lanes.scalarCount) { buffer in
            let between = buffer.baseAddress!
            var place = target
            for tile in tiles {
                let (image, y, x) = position(tile)
                var c = 0
                while c < channels.count {
                    let plane =
                        source
                        + (image &* shape.height &* shape.width &* shape.channels &+ channels.lowerBound
                            &+ c)
                    for column in 0..<4 {
                        let d = loadColumn(plane, y: y, x: x &+ column, nil)
                        WinogradTransforms.store(
                            WinogradTransforms.outputGradient((d.0, d.1, d.2, d.3)),
                            between + column &* Lanes.scalarCount, stride: 4 &* Lanes.scalarCount)
                    }
                    for row in 0..<6 {
                        let line = UnsafePointer(between + row &* 4 &* Lanes.scalarCount)
                        let d = (
                            line.lanes(0), line.lanes(Lanes.scalarCount), line.lanes(2 &* Lanes.scalarCount),
                            line.lanes(3 &* Lanes.scalarCount)
                        )
                        WinogradTransforms.store(
                            WinogradTransforms.outputGradient(d), place + (row &* 6 &* stride &+ c),
                            stride: stride)
                    }
                    c &+= Lanes.scalarCount
                }
                place += channels.count
            }
        }
    }

    /// Writes the 4×4 outputs of `tiles` from their frequencies, as ``transformInput`` lays them out.
    func transformOutput(
        _ tiles: Range<Int>, from source: UnsafePointer<Float>, stride: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        let channels = shape.channels
        let line = shape.width &* channels
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 24 * Lanes.scalarCount) { buffer in
            let between = buffer.baseAddress!
            var place = source
            for tile in tiles {
                let (image, y, x) = position(tile)
                let height = min(4, shape.height &- y)
                let width = min(4, shape.width &- x)
                let corner = target + ((image &* shape.height &+ y) &* line &+ x &* channels)
                var c = 0
                while c < channels {
                    for column in 0..<6 {
                        let m = WinogradTransforms.load(place + (column &* stride &+ c), stride: 6 &* stride)
                        let y = WinogradTransforms.output(m)
                        let cell = between + column &* Lanes.scalarCount
                        cell.store(y.0, 0)
                        cell.store(y.1, 6 &* Lanes.scalarCount)
                        cell.store(y.2, 12 &* Lanes.scalarCount)
                        cell.store(y.3, 18 &* Lanes.scalarCount)
                    }
                    for row in 0..<height {
                        let m = WinogradTransforms.load(
                            between + row &* 6 &* Lanes.scalarCount, stride: Lanes.scalarCount)
                        let y = WinogradTransforms.output(m)
                        let out = corner + (row &* line &+ c)
                        out.store(y.0, 0)
                        if width > 1 { out.store(y.1, channels) }
                        if width > 2 { out.store(y.2, 2 &* channels) }
                        if width > 3 { out.store(y.3, 3 &* channels) }
                    }
                    c &+= Lanes.scalarCount
                }
                place += channels
            }
        }
    }

    /// Six values of a column from row `y` on; zeros outside the plane.
    @inline(__always)
    private func loadColumn(
        _ plane: UnsafePointer<Float>, y: Int, x: Int, _ activate: Activation.Block?
    ) -> WinogradTransforms.Six {
        let line = shape.width &* shape.channels
        let first = plane + (y &* line &+ x &* shape.channels)
        if x >= 0 && x < shape.width && y >= 0 && y &+ 6 <= shape.height {
            let d = WinogradTransforms.load(first, stride: line)
            guard let activate else { return d }
            return (
                activate(d.0), activate(d.1), activate(d.2), activate(d.3), activate(d.4), activate(d.5)
            )
        }
        if x < 0 || x >= shape.width { return (.zero, .zero, .zero, .zero, .zero, .zero) }
        func row(_ r: Int) -> Lanes {
            if y &+ r < 0 || y &+ r >= shape.height { return .zero }
            let value = (first + r &* line).lanes(0)
            return activate.map { $0(value) } ?? value
        }
        return (row(0), row(1), row(2), row(3), row(4), row(5))
    }
}
