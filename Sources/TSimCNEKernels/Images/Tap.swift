/// One output of a linear interpolation along an axis: two of the inputs, weighted.
public struct Tap {
    public let first: Int32
    public let second: Int32
    public let firstWeight: Float
    public let secondWeight: Float

    public init(first: Int, second: Int, firstWeight: Float, secondWeight: Float) {
        self.first = Int32(first)
        self.second = Int32(second)
        self.firstWeight = firstWeight
        self.secondWeight = secondWeight
    }

    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes) -> Lanes {
        firstWeight * a + secondWeight * b
    }
}
