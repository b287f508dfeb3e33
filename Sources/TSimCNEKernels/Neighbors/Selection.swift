/// Puts the lowest `first` of some keys before all others, in the time of a few readings (Hoare 1961).
public func partition(_ keys: UnsafeMutablePointer<UInt64>, count: Int, first: Int) {
    var (low, high) = (0, count - 1)
    while low < high {
        let pivot = median(keys[low], keys[(low + high) / 2], keys[high])
        var (i, j) = (low, high)
        while i <= j {
            while keys[i] < pivot { i &+= 1 }
            while keys[j] > pivot { j &-= 1 }
            guard i <= j else { break }
            (keys[i], keys[j]) = (keys[j], keys[i])
            i &+= 1
            j &-= 1
        }
        if first <= j {
            high = j
        } else if first >= i {
            low = i
        } else {
            return
        }
    }
}

private func median(_ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 {
    max(min(a, b), min(max(a, b), c))
}

/// A number for a value and an index, in the order of values, -0 below 0, and of indices where these are alike.
public func sortingKey(_ value: Float, _ index: Int32) -> UInt64 {
    let bits = value.bitPattern
    let ordered = bits >> 31 == 0 ? bits | 1 << 31 : ~bits
    return UInt64(ordered) << 32 | UInt64(UInt32(bitPattern: index))
}
