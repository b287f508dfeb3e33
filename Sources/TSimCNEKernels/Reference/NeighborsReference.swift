/// Neighbours as their definitions say, in double precision: the oracle of the tests.
public enum NeighborsReference {
    /// The squared distance of two rows.
    public static func squaredDistance(_ rows: [Float], dimension: Int, _ i: Int, _ j: Int) -> Double {
        var sum = 0.0
        for d in 0..<dimension {
            let difference = Double(rows[i * dimension + d]) - Double(rows[j * dimension + d])
            sum += difference * difference
        }
        return sum
    }

    /// The nearest of the candidates to a row, the nearest first, the lower number first where two are as far.
    public static func nearest(
        to row: Int, of candidates: Set<Int>, in rows: [Float], dimension: Int, most: Int
    ) -> [Int] {
        let far = candidates.subtracting([row]).map {
            (squaredDistance(rows, dimension: dimension, row, $0), $0)
        }
        return far.sorted { $0 < $1 }.prefix(most).map(\.1)
    }

    /// The candidates of a group's rows: with the rows of its block what they know, and, where there are reverse
    /// neighbours, what all of these know, both ways.
    public static func candidates(
        group: [Int], block: [Int], table: [[Int]], reverse: [[Int]]?
    ) -> Set<Int> {
        func linked(_ row: Int) -> [Int] { table[row] + (reverse?[row] ?? []) }
        var near = Set(group + block)
        for row in group { near.formUnion(linked(row)) }
        guard reverse != nil else { return near }
        return near.reduce(into: near) { $0.formUnion(linked($1)) }
    }

    /// For each row those that have it among their neighbours, by rank first, then by number.
    public static func reverse(_ table: [[Int]], most: Int) -> [[Int]] {
        table.indices.map { row in
            let ranks = table.indices.flatMap { other in
                table[other].enumerated().filter { $0.element == row }.map { ($0.offset, other) }
            }
            return ranks.sorted { $0 < $1 }.prefix(most).map(\.1)
        }
    }
}
