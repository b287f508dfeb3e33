extension Planes {
    /// Blends `base` with the pixels: from `base` towards them, and beyond them for factors over 1.
    public func blend(base: Float, factor: Float, _ levels: Levels) {
        switch levels {
        case .bytes: blend(ByteLevels.self, base, factor)
        case .unit: blend(UnitLevels.self, base, factor)
        }
    }

    /// Blends each pixel's luma with the pixel: from the luma towards the pixel, and beyond it for factors
    /// over 1; three channels.
    public func saturate(factor: Float, _ levels: Levels) {
        switch levels {
        case .bytes: apply(Saturation<ByteLevels>(factor: factor))
        case .unit: apply(Saturation<UnitLevels>(factor: factor))
        }
    }

    private func blend<Rule: LevelRule>(_ rule: Rule.Type, _ base: Float, _ factor: Float) {
        let base = Lanes(repeating: base)
        let count = channels &* stride
        var offset = 0
        while offset < count {
            pointer.store(rule.blend(base, pointer.lanes(offset), factor), offset)
            offset &+= Lanes.scalarCount
        }
    }
}

private struct Saturation<Rule: LevelRule>: ColorChange {
    let factor: Float

    @inline(__always) func callAsFunction(_ color: Color) -> Color {
        let luma = Rule.luma(color)
        return Color(
            r: Rule.blend(luma, color.r, factor), g: Rule.blend(luma, color.g, factor),
            b: Rule.blend(luma, color.b, factor))
    }
}

extension LevelRule {
    @_transparent static func blend(_ base: Lanes, _ value: Lanes, _ factor: Float) -> Lanes {
        truncate(base + factor * (value - base))
    }
}
