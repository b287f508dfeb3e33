import TSimCNEKernels

/// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011).
///
/// A stream is named by what it is for, so that the same numbers come on any number of threads and
/// after any interruption.
public struct RandomNumbers: Sendable {
    private let key: (UInt32, UInt32)
    private var counter: (UInt32, UInt32, UInt32, UInt32)
    private var block: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
    private var used = 4

    /// What a stream is for; streams of different purposes never overlap.
    public enum Purpose: UInt32, Sendable { case view, order, weights, outputLayer, noise, neighbor, drop }

    /// - Parameters:
    ///   - seed: the training's seed.
    ///   - purpose: what the stream is for.
    ///   - epoch: the training's epoch, or 0.
    ///   - index: the image's number (40 bits), or 0.
    ///   - view: the view's number (8 bits), or another small number.
    ///   - block: the block of four numbers from which the stream begins.
    public init(
        seed: UInt64, purpose: Purpose, epoch: UInt64 = 0, index: UInt64 = 0, view: UInt32 = 0,
        block: UInt32 = 0
    ) {
        key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        counter = (
            block,
            UInt32(truncatingIfNeeded: epoch),
            UInt32(truncatingIfNeeded: index),
            UInt32(truncatingIfNeeded: index >> 32) & 0xff | (view & 0xff) << 8
                | purpose.rawValue << 16 | UInt32(truncatingIfNeeded: epoch >> 32) << 24
        )
    }

    /// Ten rounds of Philox on one counter.
    static func philox(
        _ counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
    ) -> (UInt32, UInt32, UInt32, UInt32) {
        var (x, k) = (counter, key)
        for _ in 0..<10 {
            let a = UInt64(x.0) &* 0xD251_1F53
            let b = UInt64(x.2) &* 0xCD9E_8D57
            x = (
                UInt32(truncatingIfNeeded: b >> 32) ^ x.1 ^ k.0, UInt32(truncatingIfNeeded: b),
                UInt32(truncatingIfNeeded: a >> 32) ^ x.3 ^ k.1, UInt32(truncatingIfNeeded: a)
            )
            k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85)
        }
        return x
    }

    public mutating func next() -> UInt32 {
        if used == 4 {
            block = RandomNumbers.philox(counter, key: key)
            counter.0 &+= 1
            used = 0
        }
        used += 1
        switch used {
        case 1: return block.0
        case 2: return block.1
        case 3: return block.2
        default: return block.3
        }
    }

    /// A number in [0, 1), with 53 random bits.
    public mutating func uniform() -> Double {
        let high = UInt64(next()) >> 5
        let low = UInt64(next()) >> 6
        return Double(high << 26 | low) * 0x1p-53
    }

    public mutating func uniform(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }

    /// A number in 0..<limit, without bias (Lemire's method); limit ≥ 1.
    public mutating func integer(below limit: Int) -> Int {
        let bound = UInt64(limit)
        var product = random64().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = random64().multipliedFullWidth(by: bound) }
        }
        return Int(product.high)
    }

    /// A number from N(0, 1), by Box and Muller's method.
    public mutating func normal() -> Double {
        let radius = (-2 * Elementary.log(1 - uniform())).squareRoot()
        return radius * Elementary.cosine(turns: uniform())
    }

    private mutating func random64() -> UInt64 {
        let high = UInt64(next())
        return high << 32 | UInt64(next())
    }

    /// Puts some of the values in a random order, in place.
    public mutating func shuffle(_ order: inout [Int64], in range: Range<Int>) {
        var last = range.count - 1
        while last > 0 {
            order.swapAt(range.lowerBound + last, range.lowerBound + integer(below: last + 1))
            last -= 1
        }
    }
}
