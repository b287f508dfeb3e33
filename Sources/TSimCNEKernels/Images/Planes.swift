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

    // Not a multiple of 4 KiB where the plane is one: stores would seem to hit the loads that follow.
    private static func stride(_ pixels: Int) -> Int { wholeVectors(pixels) + 16 }

    /// - Parameter memory: ``count(height:width:channels:)`` floats.
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

    /// Writes the pixels in [0, 1], channels side by side.
    public func interleave(into output: UnsafeMutablePointer<Float>, _ levels: Levels) {
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

/// `count` filled up to whole vectors of any level.
func wholeVectors(_ count: Int) -> Int { (count + 15) / 16 * 16 }
