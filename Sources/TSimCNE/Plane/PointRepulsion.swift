import TSimCNEKernels

/// What all points of the plane do to each: for every point i the sum of its similarities, Σ_j w, and of the
/// forces that keep it off the others, Σ_j w² (y_i - y_j), where w = 1 / (1 + d²).
///
/// A tree is built of where the points are, so that the sums of one point are the same whoever finds those of
/// the others: processes can share the points, and add up what each has found.
public final class PointRepulsion {
    /// Points of a slice of simple loops.
    static let block = 2048
    /// Leaves of the tree in a slice.
    private static let leaves = 16

    private let count: Int
    private let positions: UnsafePointer<Float>
    private let similarities: UnsafeMutablePointer<Float>
    private let forces: UnsafeMutablePointer<Float>
    private let tree: PlanePoints
    private let repulsion: Repulsion
    /// The square that holds all points.
    private var (left, bottom, width): (Float, Float, Float) = (0, 0, 0)

    /// - Parameters:
    ///   - count: number of points.
    ///   - positions: count × 2.
    ///   - sums: `count` sums of similarities, then count × 2 of forces.
    public init(count: Int, positions: UnsafePointer<Float>, sums: UnsafeMutablePointer<Float>) {
        self.count = count
        self.positions = positions
        similarities = sums
        forces = sums + count
        tree = PlanePoints(count: count)
        repulsion = Repulsion(tree)
    }

    /// Bytes that finding the sums takes beside the caller's memory.
    public static func plannedBytes(count: Int, threads: Int) -> Int {
        PlanePoints.bytes(count: count) + 4 * threads * Repulsion.scratchCount
    }

    /// Appends what finds the sums of the points of one of `parts` parts of the tree.
    public func write(into program: Program, part: Int = 0, of parts: Int = 1) {
        let blocks = (count + PointRepulsion.block - 1) / PointRepulsion.block
        program.add("square", slices: 1) { [self] _, _ in findSquare() }
        program.add("places on the curve", slices: blocks) { [self] slice, _ in
            let first = slice * PointRepulsion.block
            tree.findKeys(
                first..<min(count, first + PointRepulsion.block), of: positions, left: left, bottom: bottom,
                width: width)
        }
        program.add("order", slices: 1) { [tree] _, _ in tree.sort() }
        let groups = (tree.leaves + PointRepulsion.leaves - 1) / PointRepulsion.leaves
        program.add("boxes", slices: groups) { [self] slice, _ in
            tree.fill(leaves: group(slice), from: positions)
        }
        program.add("larger boxes", slices: 1) { [tree] _, _ in tree.join() }
        let (first, last) = (groups * part / parts, groups * (part + 1) / parts)
        guard first < last else { return }
        program.add("repulsion", slices: last - first, scratch: Repulsion.scratchCount) {
            [self] slice, scratch in
            for leaf in group(first + slice) {
                repulsion.run(leaf: leaf, weights: similarities, forces: forces, scratch: scratch)
            }
        }
    }

    private func group(_ slice: Int) -> Range<Int> {
        let first = slice * PointRepulsion.leaves
        return first..<min(tree.leaves, first + PointRepulsion.leaves)
    }

    private func findSquare() {
        var (left, right): (Float, Float) = (.infinity, -.infinity)
        var (bottom, top): (Float, Float) = (.infinity, -.infinity)
        for i in 0..<count {
            let (x, y) = (positions[2 * i], positions[2 * i + 1])
            (left, right) = (min(left, x), max(right, x))
            (bottom, top) = (min(bottom, y), max(top, y))
        }
        (self.left, self.bottom, width) = (left, bottom, max(right - left, top - bottom))
    }
}
