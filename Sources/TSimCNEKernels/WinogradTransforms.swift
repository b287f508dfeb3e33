/// The one-dimensional transforms of Winograd's F(4, 3) with the points 0, ±1, ±2 and ∞ (Lavin and
/// Gray 2016), and the passes that apply them along rows and columns.
///
/// For a 6-vector d of inputs, a 3-vector g of weights and the 4-vector y of outputs of a correlation,
/// y = Aᵀ [(G g) ⊙ (Bᵀ d)].
enum WinogradTransforms {
    /// Outputs and inputs of a tile along one axis.
    static let outputs = 4
    static let inputs = 6
    /// Products of a tile: one for each pair of points.
    static let frequencies = 36

    typealias Six = (Lanes, Lanes, Lanes, Lanes, Lanes, Lanes)

    /// Bᵀ d.
    @inline(__always)
    static func input(_ d: Six) -> Six {
        let (two, four, five) = (Lanes(repeating: 2), Lanes(repeating: 4), Lanes(repeating: 5))
        let even = fma(d.2, -four, d.4)
        let odd = fma(d.1, -four, d.3)
        let near = d.4 - d.2
        let far = two * (d.3 - d.1)
        return (
            fma(d.0, four, fma(d.2, -five, d.4)), even + odd, even - odd, near + far, near - far,
            fma(d.1, four, fma(d.3, -five, d.5))
        )
    }

    /// Aᵀ m.
    @inline(__always)
    static func output(_ m: Six) -> (Lanes, Lanes, Lanes, Lanes) {
        let (sum, difference) = (m.1 + m.2, m.1 - m.2)
        let (farSum, farDifference) = (m.3 + m.4, m.3 - m.4)
        return (
            m.0 + sum + farSum, fma(farDifference, Lanes(repeating: 2), difference),
            fma(farSum, Lanes(repeating: 4), sum), fma(farDifference, Lanes(repeating: 8), difference) + m.5
        )
    }

    /// A y: the transpose of ``output(_:)``, for gradients with respect to outputs.
    @inline(__always)
    static func outputGradient(_ y: (Lanes, Lanes, Lanes, Lanes)) -> Six {
        let (even, odd) = (y.0 + y.2, y.1 + y.3)
        let farEven = fma(y.2, Lanes(repeating: 4), y.0)
        let farOdd = fma(y.3, Lanes(repeating: 8), y.1 + y.1)
        return (y.0, even + odd, even - odd, farEven + farOdd, farEven - farOdd, y.3)
    }

    /// G g.
    @inline(__always)
    static func weight(_ g: (Lanes, Lanes, Lanes)) -> Six {
        let outer = (g.0 + g.2) * Lanes(repeating: -1 / 6)
        let middle = g.1 * Lanes(repeating: 1 / 6)
        let farOuter = fma(g.0, Lanes(repeating: 1 / 24), g.2 * Lanes(repeating: 1 / 6))
        let farMiddle = g.1 * Lanes(repeating: 1 / 12)
        return (
            g.0 * Lanes(repeating: 1 / 4), outer - middle, outer + middle, farOuter + farMiddle,
            farOuter - farMiddle, g.2
        )
    }

    /// Gᵀ u: the transpose of ``weight(_:)``, for gradients with respect to weights.
    @inline(__always)
    static func weightGradient(_ u: Six) -> (Lanes, Lanes, Lanes) {
        let sixth = Lanes(repeating: 1 / 6)
        let sum = (u.1 + u.2) * sixth
        let far = u.3 + u.4
        return (
            fma(u.0, Lanes(repeating: 1 / 4), fma(far, Lanes(repeating: 1 / 24), -sum)),
            fma(u.2 - u.1, sixth, (u.3 - u.4) * Lanes(repeating: 1 / 12)), fma(far, sixth, u.5 - sum)
        )
    }

    @inline(__always)
    static func load(_ source: UnsafePointer<Float>, stride: Int) -> Six {
        (
            source.lanes(0), source.lanes(stride), source.lanes(2 &* stride), source.lanes(3 &* stride),
            source.lanes(4 &* stride), source.lanes(5 &* stride)
        )
    }

    @inline(__always)
    static func store(_ v: Six, _ target: UnsafeMutablePointer<Float>, stride: Int) {
        target.store(v.0, 0)
        target.store(v.1, stride)
        target.store(v.2, 2 &* stride)
        target.store(v.3, 3 &* stride)
        target.store(v.4, 4 &* stride)
        target.store(v.5, 5 &* stride)
    }
}

/// max(0, scale · x + shift) per channel, applied where a tensor is read: what follows a convolution's
/// statistics need not be stored.
public struct Activation: @unchecked Sendable {
    let scale: UnsafePointer<Float>
    let shift: UnsafePointer<Float>

    public init(scale: UnsafePointer<Float>, shift: UnsafePointer<Float>) {
        self.scale = scale
        self.shift = shift
    }

    /// The activation of neighbouring channels, as vectors.
    struct Block {
        let scale: Lanes
        let shift: Lanes

        @inline(__always)
        func callAsFunction(_ x: Lanes) -> Lanes {
            var value = fma(x, scale, shift)
            // NaN stays NaN: a diverged network must not look sane.
            value.replace(with: 0, where: value .< 0)
            return value
        }
    }

    @inline(__always)
    func block(_ channel: Int) -> Block {
        Block(scale: scale.lanes(channel), shift: shift.lanes(channel))
    }
}

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
