/// Memory that a program borrows from one point of its writing to another, neither of which is shared.
struct Loan {
    let floats: Int
    let begin: Int
    var end = Int.max
    /// Of its first float, in the block that all loans share.
    var place = 0
}

extension [Loan] {
    /// Gives every loan a place, so that loans of the same time do not overlap: the largest first, each in the
    /// smallest gap that it fits into (greedy by size; Pisarchyk and Lee 2020, arXiv:2001.03288, section 5.2).
    ///
    /// - Parameter times: points of the writing, all loans' included.
    /// - Returns: floats of the block.
    mutating func place(times: Int) -> Int {
        // Those that have their place, by the stretches of time that they reach into: most are short.
        let stretch = 256
        var placed: [[Int]] = Array<[Int]>(repeating: [], count: times / stretch + 1)
        var most = 0
        for index in indices.sorted(by: { (self[$1].floats, $0) < (self[$0].floats, $1) }) {
            let loan = self[index]
            let stretches = loan.begin / stretch...Swift.min(loan.end, times) / stretch
            var others = Set<Int>()
            for other in placed[stretches].joined()
            where self[other].begin < loan.end && loan.begin < self[other].end {
                others.insert(other)
            }
            let taken = others.map { self[$0].place..<self[$0].place + self[$0].floats }
                .sorted { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
            self[index].place = Array<Loan>.gap(loan.floats, between: taken)
            most = Swift.max(most, self[index].place + loan.floats)
            for s in stretches { placed[s].append(index) }
        }
        return most
    }

    /// Where the smallest gap of at least so many floats begins; the first among equals.
    private static func gap(_ floats: Int, between taken: [Range<Int>]) -> Int {
        var (end, best) = (0, Optional<Range<Int>>.none)
        for range in taken {
            if range.lowerBound - end >= floats, range.lowerBound - end < best?.count ?? .max {
                best = end..<range.lowerBound
            }
            end = Swift.max(end, range.upperBound)
        }
        return best?.lowerBound ?? end
    }
}
