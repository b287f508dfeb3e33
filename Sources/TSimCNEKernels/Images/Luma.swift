extension LevelRule {
    /// The luma of ITU-R BT.601.
    @_transparent static func luma(_ color: Color) -> Lanes {
        // Said with types, in short lines: Swift 6.0 took half a minute to find them.
        if maximum == 1 {
            let warm: Lanes = Float(0.299) * color.r + Float(0.587) * color.g
            return warm + Float(0.114) * color.b
        }
        // Pillow's sum in fixed point: it stays below 2²⁴, where floats are exact.
        let warm: Lanes = Float(19595) * color.r + Float(38470) * color.g
        let sum: Lanes = warm + Float(7471) * color.b
        return TSimCNEKernels.floor((sum + Float(32768)) * Float(0x1p-16))
    }
}

extension Planes {
    /// Writes the luma into all three channels.
    public func makeGray(_ levels: Levels) {
        switch levels {
        case .bytes: apply(Gray<ByteLevels>())
        case .unit: apply(Gray<UnitLevels>())
        }
    }

    /// Mean of the luma, or of all values where channels are no colours; rounded for 8-bit levels.
    public func mean(_ levels: Levels) -> Float {
        switch levels {
        case .bytes: return (mean(ByteLevels.self) + 0.5).rounded(.down)
        case .unit: return mean(UnitLevels.self)
        }
    }

    private func mean<Rule: LevelRule>(_ rule: Rule.Type) -> Float {
        var sum = 0.0
        if channels == 3 {
            sum = rule.sum(PlanesLuma<Rule>(planes: self), count: pixels)
        } else {
            for c in 0..<channels {
                sum += rule.sum(PlaneValues(plane: self[c]), count: pixels) / Double(channels)
            }
        }
        return Float(sum / Double(pixels))
    }
}

private struct Gray<Rule: LevelRule>: ColorChange {
    @inline(__always) func callAsFunction(_ color: Color) -> Color {
        let luma = Rule.luma(color)
        return Color(r: luma, g: luma, b: luma)
    }
}

private struct PlanesLuma<Rule: LevelRule>: VectorSource {
    let planes: Planes
    @inline(__always) func callAsFunction(_ offset: Int) -> Lanes { Rule.luma(planes.color(offset)) }
}

private struct PlaneValues: VectorSource {
    let plane: UnsafeMutablePointer<Float>
    @inline(__always) func callAsFunction(_ offset: Int) -> Lanes { plane.lanes(offset) }
}
