/// Mirrors and quarter turns, in place.
enum Flips {
    static func horizontal(_ image: UnsafeMutablePointer<Float>, height: Int, width: Int, channels: Int) {
        for y in 0..<height {
            let row = image + y &* width &* channels
            for x in 0..<width / 2 {
                for c in 0..<channels {
                    exchange(row, x &* channels &+ c, (width &- 1 &- x) &* channels &+ c)
                }
            }
        }
    }

    static func vertical(_ image: UnsafeMutablePointer<Float>, height: Int, width: Int, channels: Int) {
        let line = width &* channels
        for y in 0..<height / 2 {
            for i in 0..<line { exchange(image, y &* line &+ i, (height &- 1 &- y) &* line &+ i) }
        }
    }

    /// Turns by `turns` times 90° counter-clockwise; odd numbers want a square image.
    static func turn(
        _ image: UnsafeMutablePointer<Float>, turns: Int, height: Int, width: Int, channels: Int,
        scratch: UnsafeMutablePointer<Float>
    ) {
        if turns == 0 { return }
        if turns == 2 {
            vertical(image, height: height, width: width, channels: channels)
            horizontal(image, height: height, width: width, channels: channels)
            return
        }
        scratch.update(from: image, count: height &* width &* channels)
        for y in 0..<height {
            for x in 0..<width {
                let from = turns == 1 ? x &* width &+ (width &- 1 &- y) : (height &- 1 &- x) &* width &+ y
                for c in 0..<channels {
                    image[(y &* width &+ x) &* channels &+ c] = scratch[from &* channels &+ c]
                }
            }
        }
    }

    @inline(__always)
    private static func exchange(_ p: UnsafeMutablePointer<Float>, _ i: Int, _ j: Int) {
        let value = p[i]
        p[i] = p[j]
        p[j] = value
    }
}
