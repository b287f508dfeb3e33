/// What all points of the plane do to each other under the Cauchy similarity w = 1 / (1 + d²): for each point i
/// the sums Σ_j w and Σ_j w² (y_i - y_j) over all others.
///
/// A group of points that are neighbours shares one list of what it sees (Barnes and Hut 1986, van der Maaten
/// 2014): points that are near, and the mean of a box that is far for its size. The sums over a list are plain
/// loops over vectors of points.
public final class Repulsion {
    /// A box is far where it is smaller than this part of its distance from the group.
    static let openness: Float = 0.85
    /// What a list holds before it is worked off.
    private static let capacity = 1024
    /// Points whose sums are kept in registers.
    private static let block = 2 * Lanes.scalarCount

    public let points: PlanePoints

    public init(_ points: PlanePoints) { self.points = points }

    /// Floats of scratch for a slice: a list of coordinates and weights, sums, and boxes to look at.
    public static let scratchCount = 3 * capacity + 3 * PlanePoints.leaf + 256

    /// Writes the sums of the points of a leaf, by their numbers.
    public func run(
        leaf: Int, weights: UnsafeMutablePointer<Float>, forces: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let sums = scratch + 3 * Repulsion.capacity
        sums.update(repeating: 0, count: 3 * PlanePoints.leaf)
        let list = scratch
        var length = 0
        func see(_ x: Float, _ y: Float, _ weight: Float) {
            list[3 &* length] = x
            list[3 &* length &+ 1] = y
            list[3 &* length &+ 2] = weight
            length &+= 1
            if length == Repulsion.capacity {
                add(list, length, leaf: leaf, to: sums)
                length = 0
            }
        }
        let group = points.boxes[leaf]
        // Levels and boxes that are still to be looked at, as numbers of one integer.
        let pending = UnsafeMutableRawPointer(sums + 3 * PlanePoints.leaf)
            .assumingMemoryBound(to: Int.self)
        var height = 1
        pending[0] = points.levels.count &- 1
        while height > 0 {
            height &-= 1
            let (level, index) = (pending[height] & 63, pending[height] &>> 6)
            let box = points.boxes[points.levels[level].start &+ index]
            let dx = max(0, max(group.left - box.x, box.x - group.right))
            let dy = max(0, max(group.bottom - box.y, box.y - group.top))
            let size = max(box.right - box.left, box.top - box.bottom)
            let reach = Repulsion.openness * Repulsion.openness * (dx * dx + dy * dy)
            if size * size < reach {
                see(box.x, box.y, box.weight)
            } else if level == 0 {
                for i in points.points(ofLeaf: index) { see(points.xs.pointer[i], points.ys.pointer[i], 1) }
            } else {
                for part in points.parts(level: level, index) {
                    pending[height] = part &<< 6 | (level &- 1)
                    height &+= 1
                }
            }
        }
        add(list, length, leaf: leaf, to: sums)
        for i in points.points(ofLeaf: leaf) {
            let (point, lane) = (Int(points.order[i]), i &- leaf &* PlanePoints.leaf)
            // A point sees itself with the weight 1, and no force.
            weights[point] = sums[lane] - 1
            forces[2 &* point] = sums[PlanePoints.leaf &+ lane]
            forces[2 &* point &+ 1] = sums[2 &* PlanePoints.leaf &+ lane]
        }
    }

    private func add(
        _ list: UnsafePointer<Float>, _ length: Int, leaf: Int, to sums: UnsafeMutablePointer<Float>
    ) {
        let (xs, ys) = (
            points.xs.pointer + leaf &* PlanePoints.leaf, points.ys.pointer + leaf &* PlanePoints.leaf
        )
        let one = Lanes(repeating: 1)
        var first = 0
        while first < PlanePoints.leaf {
            let second = first &+ Lanes.scalarCount
            let (x0, x1) = (xs.lanes(first), xs.lanes(second))
            let (y0, y1) = (ys.lanes(first), ys.lanes(second))
            var (w0, w1) = (Lanes.zero, Lanes.zero)
            var (fx0, fx1) = (Lanes.zero, Lanes.zero)
            var (fy0, fy1) = (Lanes.zero, Lanes.zero)
            for k in 0..<length {
                let x = Lanes(repeating: list[3 &* k])
                let y = Lanes(repeating: list[3 &* k &+ 1])
                let weight = Lanes(repeating: list[3 &* k &+ 2])
                let (dx0, dx1, dy0, dy1) = (x0 - x, x1 - x, y0 - y, y1 - y)
                let q0 = one / fma(dx0, dx0, fma(dy0, dy0, one))
                let q1 = one / fma(dx1, dx1, fma(dy1, dy1, one))
                let (v0, v1) = (weight * q0, weight * q1)
                (w0, w1) = (w0 + v0, w1 + v1)
                let (s0, s1) = (v0 * q0, v1 * q1)
                (fx0, fx1) = (fma(s0, dx0, fx0), fma(s1, dx1, fx1))
                (fy0, fy1) = (fma(s0, dy0, fy0), fma(s1, dy1, fy1))
            }
            for (offset, sum) in [(0, (w0, w1)), (1, (fx0, fx1)), (2, (fy0, fy1))] {
                let target = sums + offset &* PlanePoints.leaf
                target.store(target.lanes(first) + sum.0, first)
                target.store(target.lanes(second) + sum.1, second)
            }
            first &+= Repulsion.block
        }
    }
}
