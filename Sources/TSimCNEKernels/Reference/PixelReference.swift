/// What operations on colours do to one pixel, as their definitions say. Bits are equal.
public struct PixelReference {
    public let levels: Levels

    public init(_ levels: Levels) { self.levels = levels }

    func clip(_ x: Float) -> Float { max(0, min(levels.maximum, x)) }
    func round(_ x: Float) -> Float { levels == .bytes ? clip((x + 0.5).rounded(.down)) : clip(x) }
    func truncate(_ x: Float) -> Float { levels == .bytes ? clip(x).rounded(.down) : clip(x) }

    public func luma(_ pixel: [Float]) -> Float {
        if levels == .unit { return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2] }
        let sum = Int(pixel[0]) * 19595 + Int(pixel[1]) * 38470 + Int(pixel[2]) * 7471
        return Float((sum + 0x8000) >> 16)
    }

    public func blend(_ pixel: [Float], base: Float, factor: Float) -> [Float] {
        pixel.map { truncate(base + factor * ($0 - base)) }
    }

    public func shiftHue(_ pixel: [Float], by turns: Float) -> [Float] {
        var (h, s, v) = hsv(pixel[0], pixel[1], pixel[2])
        if levels == .bytes {
            h = (h * 255).rounded(.down) + Float(Int(255 * turns))
            h = (h - 256 * (h / 256).rounded(.down)) / 255
            s = (s * 255).rounded(.down) / 255
        } else {
            h += turns
            h -= h.rounded(.down)
        }
        return rgb(h, s, v)
    }

    /// Hue and saturation in [0, 1], value in levels.
    private func hsv(_ r: Float, _ g: Float, _ b: Float) -> (Float, Float, Float) {
        let (high, low) = (max(r, g, b), min(r, g, b))
        if high == low { return (0, 0, high) }
        let range = high - low
        let (rc, gc, bc) = ((high - r) / range, (high - g) / range, (high - b) / range)
        let h = (r == high ? bc - gc : g == high ? 2 + rc - bc : 4 + gc - rc) / 6 + 1
        return (h - h.rounded(.down), range / high, high)
    }

    private func rgb(_ h: Float, _ s: Float, _ v: Float) -> [Float] {
        if s == 0 { return [v, v, v] }
        let sector = (h * 6).rounded(.down)
        let f = h * 6 - sector
        let (p, q, t) = (round(v * (1 - s)), round(v * (1 - s * f)), round(v * (1 - s * (1 - f))))
        switch Int(sector) % 6 {
        case 0: return [v, t, p]
        case 1: return [q, v, p]
        case 2: return [p, v, t]
        case 3: return [p, q, v]
        case 4: return [t, p, v]
        default: return [v, p, q]
        }
    }
}
