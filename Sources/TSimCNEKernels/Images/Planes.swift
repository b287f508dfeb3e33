/// An image while a view is made of it: a plane of floats for each channel, so that every operation is
/// a loop over neighbouring pixels.
///
/// Whole vectors are written: behind each plane there is room for one.
public struct Planes {
    public let height: Int
    public let width: Int
    public let channels: Int
    let pointer: UnsafeMutablePointer<Float>
    let stride: Int

    public static func count(height: Int, width: Int, channels: Int) -> Int {
        channels * stride(height * width)
    }

    // Floats from one plane to the next: not a multiple of 4 KiB where the plane is one, as stores would seem
    // to hit the loads that follow.
    private static func stride(_ pixels: Int) -> Int { wholeVectors(pixels) + 16 }

    /// - Parameter memory: room for ``count(height:width:channels:)`` floats.
    public init(_ memory: UnsafeMutablePointer<Float>, height: Int, width: Int, channels: Int) {
        pointer = memory
        stride = Planes.stride(height * width)
        self.height = height
        self.width = width
        self.channels = channels
    }

    public var pixels: Int { height * width }

    @inline(__always) subscript(channel: Int) -> UnsafeMutablePointer<Float> {
        pointer + channel &* stride
    }

    /// Exchanges rows and columns of square planes.
    public func transpose() {
        for c in 0..<channels {
            let plane = self[c]
            for y in 1..<height {
                for x in 0..<y {
                    let value = plane[y &* width &+ x]
                    plane[y &* width &+ x] = plane[x &* width &+ y]
                    plane[x &* width &+ y] = value
                }
            }
        }
    }

    /// Writes the pixels in [0, 1], channels side by side; squares of `factor` × `factor` as their mean.
    public func interleave(
        into output: UnsafeMutablePointer<Float>, _ levels: Levels, averaging factor: Int = 1
    ) {
        if factor > 1 { return interleaveMeans(into: output, levels, factor) }
        let scale = 1 / levels.maximum
        switch channels {
        case 1:
            for p in 0..<pixels { output[p] = pointer[p] * scale }
        case 3:
            let (r, g, b) = (self[0], self[1], self[2])
            for p in 0..<pixels {
                output[3 &* p] = r[p] * scale
                output[3 &* p &+ 1] = g[p] * scale
                output[3 &* p &+ 2] = b[p] * scale
            }
        default:
            for c in 0..<channels {
                let plane = self[c]
                for p in 0..<pixels { output[p &* channels &+ c] = plane[p] * scale }
            }
        }
    }
}

extension Planes {
    private func interleaveMeans(into output: UnsafeMutablePointer<Float>, _ levels: Levels, _ factor: Int) {
        let scale = 1 / (levels.maximum * Float(factor * factor))
        let (rows, columns) = (height / factor, width / factor)
        for c in 0..<channels {
            let plane = self[c]
            for y in 0..<rows {
                for x in 0..<columns {
                    var sum: Float = 0
                    for line in 0..<factor {
                        let start = plane + ((y &* factor &+ line) &* width &+ x &* factor)
                        for i in 0..<factor { sum += start[i] }
                    }
                    output[(y &* columns &+ x) &* channels &+ c] = sum * scale
                }
            }
        }
    }
}

/// `count` filled up to whole vectors of any level.
func wholeVectors(_ count: Int) -> Int { (count + 15) / 16 * 16 }
