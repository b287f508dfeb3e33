extension Planes {
    /// Turns the colour circle of three channels, in turns.
    ///
    /// 8-bit levels go through an 8-bit HSV image, as Pillow's do; the shift is then int(255 · turns)
    /// steps of 256.
    public func shiftHue(by turns: Float, _ levels: Levels) {
        switch levels {
        case .bytes: apply(ByteHueShift(steps: (255 * turns).rounded(.towardZero)))
        case .unit: apply(UnitHueShift(turns: turns))
        }
    }
}

private struct ByteHueShift: ColorChange {
    let steps: Float

    @inline(__always) func callAsFunction(_ color: Color) -> Color {
        var hsv = HSV<ByteLevels>(color)
        let shifted = floor(hsv.hue * 255) + steps
        hsv.hue = (shifted - 256 * floor(shifted * (1 / 256))) / 255
        hsv.saturation = floor(hsv.saturation * 255) / 255
        return hsv.color
    }
}

private struct UnitHueShift: ColorChange {
    let turns: Float

    @inline(__always) func callAsFunction(_ color: Color) -> Color {
        var hsv = HSV<UnitLevels>(color)
        hsv.hue += turns
        hsv.hue -= floor(hsv.hue)
        return hsv.color
    }
}

/// Hue and saturation in [0, 1], value in levels.
private struct HSV<Rule: LevelRule> {
    var hue: Lanes
    var saturation: Lanes
    let value: Lanes

    @_transparent init(_ color: Color) {
        let (r, g, b) = (color.r, color.g, color.b)
        let higher = g.replacing(with: b, where: b .> g)
        let lower = g.replacing(with: b, where: b .< g)
        let high = r.replacing(with: higher, where: higher .> r)
        let low = r.replacing(with: lower, where: lower .< r)
        let range = high - low
        // Where the highest channel stands on the circle, in sixths, and the channels on both sides.
        var (place, ahead, behind) = (Lanes(repeating: 4), g, r)
        let isGreen = g .== high
        ahead.replace(with: r, where: isGreen)
        behind.replace(with: b, where: isGreen)
        place.replace(with: 2, where: isGreen)
        let isRed = r .== high
        ahead.replace(with: b, where: isRed)
        behind.replace(with: g, where: isRed)
        place.replace(with: 0, where: isRed)
        let sixths = place + (high - ahead) / range - (high - behind) / range
        let hue = sixths / Lanes(repeating: 6) + 1
        self.hue = hue - floor(hue)
        // Grey has no hue: 0 / 0 above, dropped in `color`.
        saturation = (range / high).replacing(with: 0, where: high .== low)
        value = high
    }

    @_transparent var color: Color {
        let sixths = hue * 6
        var sector = floor(sixths)
        let f = sixths - sector
        let p = Rule.round(value * (1 - saturation))
        let q = Rule.round(value * (1 - saturation * f))
        let t = Rule.round(value * (1 - saturation * (1 - f)))
        sector.replace(with: 0, where: sector .== 6)
        // Sectors follow from the last, (v, p, q), back to the first, (v, t, p).
        var (r, g, b) = (value, p, q)
        b.replace(with: value, where: sector .< 5)
        r.replace(with: t, where: sector .< 5)
        r.replace(with: p, where: sector .< 4)
        g.replace(with: q, where: sector .< 4)
        b.replace(with: t, where: sector .< 3)
        g.replace(with: value, where: sector .< 3)
        r.replace(with: q, where: sector .< 2)
        b.replace(with: p, where: sector .< 2)
        r.replace(with: value, where: sector .< 1)
        g.replace(with: t, where: sector .< 1)
        let isGray = saturation .== 0
        return Color(
            r: r.replacing(with: value, where: isGray), g: g.replacing(with: value, where: isGray),
            b: b.replacing(with: value, where: isGray))
    }
}
