extension Planes {
    /// Turns the image about its middle, counter-clockwise, with bilinear interpolation; what comes from
    /// outside is mirrored at the edge, since black corners would tell the angle.
    ///
    /// - Parameters:
    ///   - cosine: the angle's cosine.
    ///   - sine: the angle's sine.
    ///   - scratch: memory for ``pixels`` floats.
    public func rotate(
        cosine: Float, sine: Float, _ levels: Levels, scratch: UnsafeMutablePointer<Float>
    ) {
        for c in 0..<channels {
            scratch.update(from: self[c], count: pixels)
            rotate(scratch, into: self[c], cosine, sine)
        }
        round(levels)
    }

    private func rotate(
        _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, _ cosine: Float,
        _ sine: Float
    ) {
        let (middleX, middleY) = (0.5 * Float(width - 1), 0.5 * Float(height - 1))
        for y in 0..<height {
            let dy = Float(y) - middleY
            for x in 0..<width {
                let dx = Float(x) - middleX
                let fromX = cosine * dx - sine * dy + middleX
                let fromY = sine * dx + cosine * dy + middleY
                let (left, top) = (fromX.rounded(.down), fromY.rounded(.down))
                let (u, v) = (fromX - left, fromY - top)
                let x0 = mirrored(Int(left), width)
                let x1 = mirrored(Int(left) + 1, width)
                let above = source + mirrored(Int(top), height) * width
                let below = source + mirrored(Int(top) + 1, height) * width
                let upper = above[x0] + u * (above[x1] - above[x0])
                let lower = below[x0] + u * (below[x1] - below[x0])
                target[y * width + x] = upper + v * (lower - upper)
            }
        }
    }
}

/// A position of a line that is mirrored at its ends, about the last pixels' middles: -1 is 1.
@inline(__always)
func mirrored(_ position: Int, _ count: Int) -> Int {
    if position >= 0 && position < count { return position }
    let period = 2 * (count - 1)
    let rest = ((position % period) + period) % period
    return rest < count ? rest : period - rest
}
