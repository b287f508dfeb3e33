extension Planes {
    /// Brings every pixel to a level.
    func round(_ levels: Levels) {
        switch levels {
        case .bytes: round(ByteLevels.self)
        case .unit: round(UnitLevels.self)
        }
    }

    /// Turns pixels of the upper half of the range into their negatives.
    public func solarize(_ levels: Levels) {
        let maximum = levels.maximum
        let threshold = levels == .bytes ? 128 : Float(0.5)
        for i in 0..<channels * stride where pointer[i] >= threshold { pointer[i] = maximum - pointer[i] }
    }

    /// Scales every channel by itself: its values times a gain, and an offset in shares of the range.
    public func scale(_ gains: [Float], offsets: [Float], _ levels: Levels) {
        for c in 0..<channels {
            let offset = offsets[c] * levels.maximum
            let plane = self[c]
            for p in 0..<pixels { plane[p] = gains[c] * plane[p] + offset }
        }
        round(levels)
    }

    /// Blackens a rectangle.
    public func erase(top: Int, left: Int, height: Int, width: Int) {
        for c in 0..<channels {
            for y in top..<top + height {
                (self[c] + y * self.width + left).update(repeating: 0, count: width)
            }
        }
    }

    private func round<Rule: LevelRule>(_ rule: Rule.Type) {
        let count = channels &* stride
        var offset = 0
        while offset < count {
            pointer.store(rule.round(pointer.lanes(offset)), offset)
            offset &+= Lanes.scalarCount
        }
    }
}
