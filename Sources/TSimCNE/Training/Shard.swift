/// A part of every batch: what one of several programs that train together works on.
public struct Shard: Sendable, Equatable {
    /// The part's number, from 0.
    public var rank = 0
    public var count = 1

    public init(rank: Int = 0, count: Int = 1) {
        self.rank = rank
        self.count = count
    }

    /// Places of the part among `total` images.
    func part(of total: Int) -> Range<Int> { total * rank / count..<total * (rank + 1) / count }
}
