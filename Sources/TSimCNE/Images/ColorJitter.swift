/// Brightness, contrast, saturation and hue by random amounts in a random order.
struct ColorJitter {
    enum Operation: Int, CaseIterable { case brightness, contrast, saturation, hue }

    var order: [Operation]
    var brightness: Float
    var contrast: Float
    var saturation: Float
    /// In turns of the colour circle.
    var hue: Float

    init(order: [Operation], brightness: Float, contrast: Float, saturation: Float, hue: Float) {
        self.order = order
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.hue = hue
    }

    init(_ parameters: Augmentation, _ random: inout RandomNumbers) {
        func factor(_ v: Double) -> Float { Float(random.uniform(in: max(0, 1 - v)...1 + v)) }
        order = Operation.allCases
        for last in stride(from: 3, to: 0, by: -1) { order.swapAt(last, random.integer(below: last + 1)) }
        brightness = factor(parameters.brightness)
        contrast = factor(parameters.contrast)
        saturation = factor(parameters.saturation)
        hue = Float(random.uniform(in: -parameters.hue...parameters.hue))
    }

    /// Saturation and hue are for three channels; brightness and contrast for any number of them, which
    /// all move together.
    func apply(_ image: UnsafeMutablePointer<Float>, pixels: Int, channels: Int, levels: Levels) {
        for operation in order {
            switch operation {
            case .brightness: blend(image, pixels, channels, levels, factor: brightness) { _ in 0 }
            case .contrast:
                let mean = ColorJitter.mean(image, pixels: pixels, channels: channels, levels)
                blend(image, pixels, channels, levels, factor: contrast) { _ in mean }
            case .saturation where channels == 3:
                blend(image, pixels, 3, levels, factor: saturation) { Grayscale.luma($0, levels) }
            case .hue where channels == 3: Hue.shift(image, pixels: pixels, by: hue, levels: levels)
            case .saturation, .hue: break
            }
        }
    }

    /// Mean of the grey image, or of all values where channels are no colours; rounded for 8-bit levels.
    private static func mean(
        _ image: UnsafePointer<Float>, pixels: Int, channels: Int, _ levels: Levels
    ) -> Float {
        var sum = 0.0
        if channels == 3 {
            for p in 0..<pixels { sum += Double(Grayscale.luma(image + 3 &* p, levels)) }
        } else {
            for i in 0..<pixels &* channels { sum += Double(image[i]) / Double(channels) }
        }
        let mean = Float(sum / Double(pixels))
        return levels.isInteger ? (mean + 0.5).rounded(.down) : mean
    }

    /// From what `base` says of a pixel towards the pixel, and beyond it for factors over 1.
    @inline(__always)
    private func blend(
        _ image: UnsafeMutablePointer<Float>, _ pixels: Int, _ channels: Int, _ levels: Levels,
        factor: Float, base: (UnsafePointer<Float>) -> Float
    ) {
        for p in 0..<pixels {
            let pixel = image + channels &* p
            let from = base(pixel)
            for c in 0..<channels { pixel[c] = levels.truncate(from + factor * (pixel[c] - from)) }
        }
    }
}

/// Turning the colour circle.
enum Hue {
    /// With 8-bit levels through an 8-bit HSV image, as Pillow's; the shift is then int(255 · turns)
    /// steps of 256.
    static func shift(
        _ image: UnsafeMutablePointer<Float>, pixels: Int, by turns: Float, levels: Levels
    ) {
        let steps = Float(Int(255 * turns))
        for p in 0..<pixels {
            let pixel = image + 3 &* p
            var (h, s, v) = hsv(pixel[0], pixel[1], pixel[2], levels)
            if levels.isInteger {
                h += steps
                h -= 256 * (h / 256).rounded(.down)
                h /= 255
                s /= 255
            } else {
                h += turns
                h -= h.rounded(.down)
            }
            let (r, g, b) = rgb(h, s, v, levels)
            pixel[0] = r
            pixel[1] = g
            pixel[2] = b
        }
    }

    /// Hue and saturation in 0…255 for 8-bit levels, else in [0, 1]; value in levels.
    static func hsv(_ r: Float, _ g: Float, _ b: Float, _ levels: Levels) -> (Float, Float, Float) {
        let high = max(r, max(g, b))
        let low = min(r, min(g, b))
        if high == low { return (0, 0, high) }
        let range = high - low
        let (rc, gc, bc) = ((high - r) / range, (high - g) / range, (high - b) / range)
        var h = r == high ? bc - gc : g == high ? 2 + rc - bc : 4 + gc - rc
        h = h / 6 + 1
        h -= h.rounded(.down)
        let s = range / high
        if !levels.isInteger { return (h, s, high) }
        return (min(255, (h * 255).rounded(.down)), min(255, (s * 255).rounded(.down)), high)
    }

    /// Hue and saturation in [0, 1], value in levels.
    static func rgb(_ h: Float, _ s: Float, _ v: Float, _ levels: Levels) -> (Float, Float, Float) {
        if s == 0 { return (v, v, v) }
        let sector = (h * 6).rounded(.down)
        let f = h * 6 - sector
        let p = levels.round(v * (1 - s))
        let q = levels.round(v * (1 - s * f))
        let t = levels.round(v * (1 - s * (1 - f)))
        switch Int(sector) % 6 {
        case 0: return (v, t, p)
        case 1: return (q, v, p)
        case 2: return (p, v, t)
        case 3: return (p, q, v)
        case 4: return (t, p, v)
        default: return (v, p, q)
        }
    }
}
