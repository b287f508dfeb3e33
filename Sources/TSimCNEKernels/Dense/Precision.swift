import CPlatform

/// What the factors of a convolution's products are rounded to; sums are always of single precision.
public enum Precision: Sendable {
    /// 24 bits of a number.
    case single
    /// 8 bits, of which the processor multiplies and adds twice as many: for training, on processors that
    /// have the instruction (``isAvailable``).
    case bfloat16

    /// Whether this processor, and this level, can do it.
    public var isAvailable: Bool {
        switch self {
        case .single: true
        case .bfloat16: BFloat16Pair.isCompiled && cplatform_has_bfloat16() != 0
        }
    }

    /// Neighbouring numbers of a sum that an element of a product's operands holds.
    var perElement: Int { self == .single ? 1 : 2 }
}

/// The four bytes that a product's operands consist of, and how two of them are multiplied.
protocol ProductElement {
    /// `a * b + c`, lane by lane.
    static func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes
}

enum SingleElement: ProductElement {
    @inline(__always)
    static func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { fma(a, b, c) }
}

/// Two numbers of 16 bits: of both pairs the products of what stands at the same place are added.
enum BFloat16Pair: ProductElement {
    #if LEVEL_V4
        static let isCompiled = true

        @inline(__always)
        static func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
            var sum = c
            cplatform_add_dot_bfloat16(&sum, a, b)
            return sum
        }

        /// Stores 16 numbers as eight pairs of neighbours.
        @inline(__always)
        static func storeNeighbors(_ value: Lanes, _ target: UnsafeMutablePointer<Float>) {
            cplatform_store_bfloat16(target, value)
        }

        /// Stores 16 numbers as the first or the second ones of 16 pairs; the second ones join the first.
        @inline(__always)
        static func store(_ value: Lanes, _ target: UnsafeMutablePointer<Float>, isSecond: Bool) {
            if isSecond {
                cplatform_store_second_bfloat16(target, value)
            } else {
                cplatform_store_first_bfloat16(target, value)
            }
        }
    #else
        static let isCompiled = false

        @inline(__always)
        static func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { missing() }
        @inline(__always)
        static func storeNeighbors(_ value: Lanes, _ target: UnsafeMutablePointer<Float>) { missing() }
        @inline(__always)
        static func store(_ value: Lanes, _ target: UnsafeMutablePointer<Float>, isSecond: Bool) { missing() }

        private static func missing() -> Never { fatalError("this level has no products of 16 bits") }
    #endif
}
