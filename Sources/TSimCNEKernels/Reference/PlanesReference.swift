/// The operations of ``Planes`` on values in levels that lie side by side, pixel by pixel: the oracle of
/// the tests.
public struct PlanesReference {
    public let height: Int
    public let width: Int
    public let channels: Int
    public var values: [Float]
    private let pixel: PixelReference

    public init(_ values: [Float], height: Int, width: Int, channels: Int, _ levels: Levels) {
        self.values = values
        self.height = height
        self.width = width
        self.channels = channels
        pixel = PixelReference(levels)
    }

    /// Replaces every pixel by what `body` says of it.
    public mutating func change(_ body: (PixelReference, [Float]) -> [Float]) {
        for start in stride(from: 0, to: values.count, by: channels) {
            let range = start..<start + channels
            values.replaceSubrange(range, with: body(pixel, Array(values[range])))
        }
    }

    public func mean() -> Float {
        var sum = 0.0
        if channels == 3 {
            for p in stride(from: 0, to: values.count, by: 3) {
                sum += Double(pixel.luma(Array(values[p..<p + 3])))
            }
        } else {
            for value in values { sum += Double(value) / Double(channels) }
        }
        let mean = Float(sum / Double(height * width))
        return pixel.levels == .bytes ? (mean + 0.5).rounded(.down) : mean
    }

    public mutating func transpose() {
        let before = values
        for y in 0..<height {
            for x in 0..<width {
                for c in 0..<channels {
                    values[(y * width + x) * channels + c] = before[(x * width + y) * channels + c]
                }
            }
        }
    }

    /// The part whose upper left pixel is (`top`, `left`), interpolated along rows and then columns.
    public mutating func interpolate(
        top: Int, left: Int, height partHeight: Int, columns: [Tap], rows: [Tap]
    ) {
        let (line, source) = (width * channels, values)
        var between = [Float](repeating: 0, count: partHeight * line)
        for y in 0..<partHeight {
            for i in 0..<line {
                between[y * line + i] = weighted(columns[i / channels]) { x in
                    source[(top + y) * line + (left + x) * channels + i % channels]
                }
            }
        }
        for y in 0..<height {
            for i in 0..<line { values[y * line + i] = weighted(rows[y]) { between[$0 * line + i] } }
        }
    }

    private func weighted(_ tap: Tap, _ value: (Int) -> Float) -> Float {
        pixel.round(tap.firstWeight * value(Int(tap.first)) + tap.secondWeight * value(Int(tap.second)))
    }
}
