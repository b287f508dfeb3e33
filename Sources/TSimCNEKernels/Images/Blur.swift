extension Planes {
    /// Widest ``blur(weights:_:scratch:)``: pixels to each side.
    public static let largestBlurRadius = 32

    /// Floats of scratch that a blur wants.
    public static func blurScratchCount(height: Int, width: Int) -> Int {
        wholeVectors(height * width) + 16 + wholeVectors(width + 2 * largestBlurRadius) + 16
    }

    /// Convolves rows and then columns with symmetric weights; the image is mirrored at its edges.
    ///
    /// - Parameters:
    ///   - weights: the weights of the pixel itself, of its neighbours, and so on outwards.
    ///   - scratch: memory for ``blurScratchCount(height:width:)`` floats.
    public func blur(weights: [Float], _ levels: Levels, scratch: UnsafeMutablePointer<Float>) {
        let line = scratch + wholeVectors(pixels) + 16
        for c in 0..<channels {
            for y in 0..<height {
                blurRow(self[c] + y * width, weights, line: line, into: scratch + y * width)
            }
            for y in 0..<height { blurColumns(scratch, y, weights, into: self[c] + y * width) }
        }
        round(levels)
    }

    private func blurRow(
        _ row: UnsafePointer<Float>, _ weights: [Float], line: UnsafeMutablePointer<Float>,
        into target: UnsafeMutablePointer<Float>
    ) {
        let radius = weights.count - 1
        for x in -radius..<width + radius { line[x + radius] = row[mirrored(x, width)] }
        let middle = line + radius
        var x = 0
        while x < width {
            var sum = weights[0] * middle.lanes(x)
            for k in 1..<weights.count {
                sum += weights[k] * (middle.lanes(x &- k) + middle.lanes(x &+ k))
            }
            // What a last vector writes too much, the next row writes over.
            target.store(sum, x)
            x &+= Lanes.scalarCount
        }
    }

    private func blurColumns(
        _ source: UnsafePointer<Float>, _ y: Int, _ weights: [Float], into target: UnsafeMutablePointer<Float>
    ) {
        var x = 0
        while x < width {
            var sum = weights[0] * source.lanes(y &* width &+ x)
            for k in 1..<weights.count {
                let above = source + mirrored(y &- k, height) &* width
                let below = source + mirrored(y &+ k, height) &* width
                sum += weights[k] * (above.lanes(x) + below.lanes(x))
            }
            target.store(sum, x)
            x &+= Lanes.scalarCount
        }
    }
}
