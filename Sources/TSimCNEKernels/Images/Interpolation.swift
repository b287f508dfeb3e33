/// A rectangle of a stored image, channels side by side.
public struct ImagePart {
    let origin: UnsafeRawPointer
    /// Values from a row to the next.
    let stride: Int
    let height: Int
    let width: Int

    public init(origin: UnsafeRawPointer, stride: Int, height: Int, width: Int) {
        self.origin = origin
        self.stride = stride
        self.height = height
        self.width = width
    }
}

extension Planes {
    /// Fills the planes with the interpolated part: along rows, rounded, and then along columns.
    ///
    /// - Parameters:
    ///   - columns: a tap for each column of the planes.
    ///   - rows: a tap for each row of the planes.
    ///   - scratch: memory for ``Interpolation/scratchCount(height:width:channels:)`` floats.
    public func interpolate(
        _ part: ImagePart, columns: UnsafePointer<Tap>, rows: UnsafePointer<Tap>, levels: Levels,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let interpolation = Interpolation(planes: self, part: part, scratch: scratch)
        switch levels {
        case .bytes: interpolation.run(ByteLevels.self, columns: columns, rows: rows)
        case .unit: interpolation.run(UnitLevels.self, columns: columns, rows: rows)
        }
    }
}

/// Rows are stretched in strips of as many as a vector has lanes, transposed, so that each column is a
/// vector and no lane looks at another.
public struct Interpolation {
    let planes: Planes
    let part: ImagePart
    let tile: TransposedTile
    /// The columns of a strip, for each channel.
    let strip: UnsafeMutablePointer<Float>
    /// The stretched rows: planes of whole strips of whole vectors.
    let stretched: UnsafeMutablePointer<Float>
    let stretchedWidth: Int
    let stretchedCount: Int

    /// Floats of scratch for parts that are not larger than the planes.
    public static func scratchCount(height: Int, width: Int, channels: Int) -> Int {
        TransposedTile.count + 16 * wholeVectors(width * channels)
            + channels * wholeVectors(height) * wholeVectors(width)
    }

    init(planes: Planes, part: ImagePart, scratch: UnsafeMutablePointer<Float>) {
        self.planes = planes
        self.part = part
        tile = TransposedTile(rows: scratch)
        strip = scratch + TransposedTile.count
        stretched = strip + 16 * wholeVectors(planes.width * planes.channels)
        stretchedWidth = wholeVectors(planes.width)
        stretchedCount = wholeVectors(part.height) * stretchedWidth
    }

    func run<Rule: LevelRule>(
        _ rule: Rule.Type, columns: UnsafePointer<Tap>, rows: UnsafePointer<Tap>
    ) {
        var top = 0
        while top < part.height {
            readStrip(rule, top)
            for c in 0..<planes.channels { stretchStrip(rule, top, channel: c, columns) }
            top &+= Lanes.scalarCount
        }
        for c in 0..<planes.channels { stretchColumns(rule, channel: c, rows) }
    }

    @inline(__always)
    private func readStrip<Rule: LevelRule>(_ rule: Rule.Type, _ top: Int) {
        let side = Lanes.scalarCount
        let values = part.width &* planes.channels
        let lines = min(side, part.height &- top)
        var start = 0
        while start < values {
            let lanes = min(side, values &- start)
            for line in 0..<lines {
                let index = (top &+ line) &* part.stride &+ start
                if lanes == side {
                    tile.rows.store(rule.load(part.origin, index), line &* side)
                } else {
                    // Behind the last row the image's memory may end.
                    for i in 0..<lanes {
                        tile.rows[line &* side &+ i] = rule.loadOne(part.origin, index &+ i)
                    }
                }
            }
            tile.store(strip + start &* side, stride: side)
            start &+= side
        }
    }

    @inline(__always)
    private func stretchStrip<Rule: LevelRule>(
        _ rule: Rule.Type, _ top: Int, channel: Int, _ columns: UnsafePointer<Tap>
    ) {
        let side = Lanes.scalarCount
        let step = planes.channels &* side
        let source = strip + channel &* side
        let target = stretched + (channel &* stretchedCount &+ top &* stretchedWidth)
        var left = 0
        while left < planes.width {
            for lane in 0..<min(side, planes.width &- left) {
                let tap = columns[left &+ lane]
                let value = tap(
                    source.lanes(Int(tap.first) &* step), source.lanes(Int(tap.second) &* step))
                tile.rows.store(rule.round(value), lane &* side)
            }
            tile.store(target + left, stride: stretchedWidth)
            left &+= side
        }
    }

    @inline(__always)
    private func stretchColumns<Rule: LevelRule>(
        _ rule: Rule.Type, channel: Int, _ rows: UnsafePointer<Tap>
    ) {
        let source = stretched + channel &* stretchedCount
        let target = planes[channel]
        for y in 0..<planes.height {
            let tap = rows[y]
            let first = source + Int(tap.first) &* stretchedWidth
            let second = source + Int(tap.second) &* stretchedWidth
            var x = 0
            while x < planes.width {
                // What a last vector writes too much, the next row writes over.
                target.store(rule.round(tap(first.lanes(x), second.lanes(x))), y &* planes.width &+ x)
                x &+= Lanes.scalarCount
            }
        }
    }
}
