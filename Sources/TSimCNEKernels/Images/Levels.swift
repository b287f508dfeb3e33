/// How pixels are kept between two operations on an image.
public enum Levels: Sendable {
    /// Whole numbers 0…255, rounded after each operation, as 8-bit images are.
    case bytes
    /// Numbers in [0, 1], clipped after each operation.
    case unit

    public var maximum: Float { self == .bytes ? 255 : 1 }
}

/// The same as a type: kernels are generic over it and compiled for each kind.
///
/// What is small is `@_transparent`: the inliner counts the lanes' loops inside and gives up, and a call
/// passes vectors through memory.
protocol LevelRule {
    static var maximum: Float { get }
    /// The level below.
    static func floor(_ x: Lanes) -> Lanes
    /// Nearest level, halves up, of what is in range.
    static func nearest(_ x: Lanes) -> Lanes
    /// Pixels of stored images.
    static func load(_ source: UnsafeRawPointer, _ index: Int) -> Lanes
    static func loadOne(_ source: UnsafeRawPointer, _ index: Int) -> Float
    /// Σ of the first `count` values.
    static func sum<Values: VectorSource>(_ values: Values, count: Int) -> Double
}

/// Values, by the vector that begins at an offset.
protocol VectorSource {
    func callAsFunction(_ offset: Int) -> Lanes
}

extension LevelRule {
    @_transparent static func clip(_ x: Lanes) -> Lanes {
        let low = Lanes(repeating: maximum).replacing(with: x, where: x .< maximum)
        return Lanes.zero.replacing(with: low, where: low .> 0)
    }

    @_transparent static func round(_ x: Lanes) -> Lanes { nearest(clip(x)) }
    /// The level that a conversion to 8 bits gives.
    @_transparent static func truncate(_ x: Lanes) -> Lanes { floor(clip(x)) }
}

enum ByteLevels: LevelRule {
    static var maximum: Float { 255 }

    @_transparent static func floor(_ x: Lanes) -> Lanes { TSimCNEKernels.floor(x) }
    @_transparent static func nearest(_ x: Lanes) -> Lanes { TSimCNEKernels.floor(x + 0.5) }

    @inline(__always) static func load(_ source: UnsafeRawPointer, _ index: Int) -> Lanes {
        Lanes((source + index).loadUnaligned(as: ByteLanes.self))
    }
    @inline(__always) static func loadOne(_ source: UnsafeRawPointer, _ index: Int) -> Float {
        Float(source.load(fromByteOffset: index, as: UInt8.self))
    }

    /// Sums of whole numbers below 2²⁴ are exact in any order.
    @inline(__always) static func sum<Values: VectorSource>(_ values: Values, count: Int) -> Double {
        var total = 0.0
        var offset = 0
        while offset < count {
            var part = Lanes.zero
            let end = min(count, offset &+ 4096)
            while offset &+ Lanes.scalarCount <= end {
                part += values(offset)
                offset &+= Lanes.scalarCount
            }
            total += Double(horizontalSum(part))
            if offset < end {
                let last = values(offset)
                for lane in 0..<end &- offset { total += Double(last[lane]) }
                offset = end
            }
        }
        return total
    }
}

enum UnitLevels: LevelRule {
    static var maximum: Float { 1 }

    @_transparent static func floor(_ x: Lanes) -> Lanes { x }
    @_transparent static func nearest(_ x: Lanes) -> Lanes { x }

    @inline(__always) static func load(_ source: UnsafeRawPointer, _ index: Int) -> Lanes {
        (source + 4 &* index).loadUnaligned(as: Lanes.self)
    }
    @inline(__always) static func loadOne(_ source: UnsafeRawPointer, _ index: Int) -> Float {
        source.load(fromByteOffset: 4 &* index, as: Float.self)
    }

    /// The sum in order: it has the same bits at every instruction-set level.
    @inline(__always) static func sum<Values: VectorSource>(_ values: Values, count: Int) -> Double {
        var total = 0.0
        var offset = 0
        while offset < count {
            let part = values(offset)
            for lane in 0..<min(Lanes.scalarCount, count &- offset) { total += Double(part[lane]) }
            offset &+= Lanes.scalarCount
        }
        return total
    }
}
