// Sums over one vector or two, lane by lane: the order depends on the length alone.

/// Σ a b
public func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
    var sums = Lanes.zero
    var k = 0
    while k &+ Lanes.scalarCount <= count {
        sums = fma(a.lanes(k), b.lanes(k), sums)
        k &+= Lanes.scalarCount
    }
    var sum = horizontalSum(sums)
    while k < count {
        sum = fma(a[k], b[k], sum)
        k &+= 1
    }
    return sum
}

/// `target += factor · values`
public func add(
    _ values: UnsafePointer<Float>, times factor: Float = 1, to target: UnsafeMutablePointer<Float>,
    count: Int
) {
    let factors = Lanes(repeating: factor)
    var k = 0
    while k &+ Lanes.scalarCount <= count {
        target.store(fma(factors, values.lanes(k), target.lanes(k)), k)
        k &+= Lanes.scalarCount
    }
    while k < count {
        target[k] = fma(factor, values[k], target[k])
        k &+= 1
    }
}

/// `target *= factor`
public func scale(_ target: UnsafeMutablePointer<Float>, by factor: Float, count: Int) {
    for k in 0..<count { target[k] *= factor }
}
