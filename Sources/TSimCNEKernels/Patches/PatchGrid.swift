/// The square patches of an image that are looked at: every `stride` pixels along both sides.
public struct PatchGrid: Sendable {
    public let height: Int
    public let width: Int
    public let channels: Int
    /// Pixels along a patch's side; at most the image's smaller one.
    public let side: Int
    public let stride: Int

    public init(height: Int, width: Int, channels: Int, side: Int, stride: Int) {
        self.height = height
        self.width = width
        self.channels = channels
        self.side = side
        self.stride = stride
    }

    public var rows: Int { (height - side) / stride + 1 }
    public var columns: Int { (width - side) / stride + 1 }
    /// Number of patches.
    public var count: Int { rows * columns }
    /// Values of a patch.
    public var depth: Int { side * side * channels }

    /// Writes all patches, count × depth, less the mean of the image's pixels.
    func copyPatches(of pixels: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
        var sum = 0.0
        for i in 0..<height * width * channels { sum += Double(pixels[i]) }
        let mean = Float(sum / Double(height * width * channels))
        let line = side * channels
        var patch = target
        for row in 0..<rows {
            for column in 0..<columns {
                let first = pixels + (row * stride * width + column * stride) * channels
                for y in 0..<side {
                    let (source, values) = (first + y * width * channels, patch + y * line)
                    for i in 0..<line { values[i] = source[i] - mean }
                }
                patch += depth
            }
        }
    }
}
