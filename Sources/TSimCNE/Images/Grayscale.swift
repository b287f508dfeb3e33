/// Luma of ITU-R BT.601, in all three channels.
enum Grayscale {
    /// With 8-bit levels, Pillow's fixed-point sum.
    @inline(__always)
    static func luma(_ pixel: UnsafePointer<Float>, _ levels: Levels) -> Float {
        if levels.isInteger {
            let sum =
                Int32(pixel[0]) &* 19595 &+ Int32(pixel[1]) &* 38470 &+ Int32(pixel[2]) &* 7471 &+ 0x8000
            return Float(sum >> 16)
        }
        return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]
    }

    static func apply(_ image: UnsafeMutablePointer<Float>, pixels: Int, levels: Levels) {
        for p in 0..<pixels {
            let pixel = image + 3 &* p
            let value = luma(pixel, levels)
            pixel[0] = value
            pixel[1] = value
            pixel[2] = value
        }
    }
}
