/// How the rows of frequencies become the elements of a product's operand: one number each, or pairs of numbers
/// that follow one another in the product's sum.
protocol FrequencyElements {
    /// Neighbouring rows, and channels, that share an element.
    static var rows: Int { get }
    static var channels: Int { get }
    /// Stores a vector of channels of a row.
    static func store(_ value: Lanes, _ target: UnsafeMutablePointer<Float>, row: Int)
}

enum SingleNumbers: FrequencyElements {
    static var rows: Int { 1 }
    static var channels: Int { 1 }
    @inline(__always)
    static func store(_ value: Lanes, _ target: UnsafeMutablePointer<Float>, row: Int) {
        target.store(value, 0)
    }
}

/// The sum is over channels.
enum PairsOfChannels: FrequencyElements {
    static var rows: Int { 1 }
    static var channels: Int { 2 }
    @inline(__always)
    static func store(_ value: Lanes, _ target: UnsafeMutablePointer<Float>, row: Int) {
        BFloat16Pair.storeNeighbors(value, target)
    }
}

/// The sum is over rows. Even rows are stored before odd ones; an even row without an odd one has zeros beside it.
enum PairsOfRows: FrequencyElements {
    static var rows: Int { 2 }
    static var channels: Int { 1 }
    @inline(__always)
    static func store(_ value: Lanes, _ target: UnsafeMutablePointer<Float>, row: Int) {
        BFloat16Pair.store(value, target, isSecond: row & 1 == 1)
    }
}
