/// Points of the plane in the order of a Hilbert curve, with boxes about runs of them.
///
/// A run of `leaf` points in this order lies close together; so do four neighbouring runs, and so on up: the
/// tree needs no pointers, and its shape depends on the number of points alone. A box whose points happen to lie
/// apart is only a large one, which a search opens.
public final class PlanePoints {
    /// Points of a run of the lowest level.
    static let leaf = 32
    private static let fan = 4
    private static let side: Float = 65535

    struct Box {
        var (x, y): (Float, Float) = (0, 0)
        var weight: Float = 0
        var (left, right): (Float, Float) = (.infinity, -.infinity)
        var (bottom, top): (Float, Float) = (.infinity, -.infinity)

        /// Takes another box in; ``x`` and ``y`` are sums until ``finish()``.
        mutating func add(_ other: Box) {
            x += other.weight * other.x
            y += other.weight * other.y
            weight += other.weight
            left = min(left, other.left)
            right = max(right, other.right)
            bottom = min(bottom, other.bottom)
            top = max(top, other.top)
        }

        mutating func finish() {
            x /= weight
            y /= weight
        }
    }

    public let count: Int
    public let leaves: Int
    /// Number of boxes of each level, from the leaves up to one, and where each level begins.
    let levels: [(count: Int, start: Int)]
    let boxes: UnsafeMutablePointer<Box>
    /// Coordinates in the order of the curve; the last run is filled with its last point.
    let xs: AlignedBuffer
    let ys: AlignedBuffer
    /// Which point each of these is.
    let order: UnsafeMutablePointer<UInt32>
    private let keys: UnsafeMutablePointer<UInt32>
    private let spareKeys: UnsafeMutablePointer<UInt32>
    private let spareOrder: UnsafeMutablePointer<UInt32>

    public init(count: Int) {
        self.count = count
        leaves = (count + PlanePoints.leaf - 1) / PlanePoints.leaf
        levels = PlanePoints.levels(leaves: leaves)
        boxes = .allocate(capacity: levels.last!.start + 1)
        xs = AlignedBuffer(count: leaves * PlanePoints.leaf)
        ys = AlignedBuffer(count: leaves * PlanePoints.leaf)
        order = .allocate(capacity: count)
        keys = .allocate(capacity: count)
        spareKeys = .allocate(capacity: count)
        spareOrder = .allocate(capacity: count)
    }

    deinit {
        boxes.deallocate()
        for memory in [order, keys, spareKeys, spareOrder] { memory.deallocate() }
    }

    private static func levels(leaves: Int) -> [(count: Int, start: Int)] {
        var levels = [(count: leaves, start: 0)]
        while levels.last!.count > 1 {
            let last = levels.last!
            levels.append(((last.count + fan - 1) / fan, last.start + last.count))
        }
        return levels
    }

    public static func bytes(count: Int) -> Int {
        let leaves = (count + leaf - 1) / leaf
        let boxes = levels(leaves: leaves).last!.start + 1
        return boxes * MemoryLayout<Box>.stride + leaves * leaf * 8 + count * 16
    }

    /// The boxes below a box of a level above the leaves.
    func parts(level: Int, _ box: Int) -> Range<Int> {
        box * PlanePoints.fan..<min(levels[level - 1].count, (box + 1) * PlanePoints.fan)
    }

    /// The points of a leaf, in the curve's order.
    func points(ofLeaf leaf: Int) -> Range<Int> {
        leaf * PlanePoints.leaf..<min(count, (leaf + 1) * PlanePoints.leaf)
    }

    // The steps of building the tree, in their order.

    /// The places on the curve of some points (count × 2), within a square from (`left`, `bottom`) on.
    public func findKeys(
        _ range: Range<Int>, of points: UnsafePointer<Float>, left: Float, bottom: Float, width: Float
    ) {
        let scale = width > 0 ? PlanePoints.side / width : 0
        func cell(_ value: Float) -> UInt32 {
            // What is not a number is in the corner.
            value >= 0 ? UInt32(min(value, PlanePoints.side)) : 0
        }
        for i in range {
            keys[i] = hilbertIndex(
                cell((points[2 &* i] - left) * scale), cell((points[2 &* i &+ 1] - bottom) * scale))
            order[i] = UInt32(truncatingIfNeeded: i)
        }
    }

    /// Orders the points by their keys, and by their numbers where these are alike.
    public func sort() {
        var (from, fromOrder, to, toOrder) = (keys, order, spareKeys, spareOrder)
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 257) { starts in
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                starts.update(repeating: 0)
                for i in 0..<count { starts[Int(from[i] &>> shift & 255) &+ 1] &+= 1 }
                for i in 0..<256 { starts[i &+ 1] &+= starts[i] }
                for i in 0..<count {
                    let digit = Int(from[i] &>> shift & 255)
                    to[starts[digit]] = from[i]
                    toOrder[starts[digit]] = fromOrder[i]
                    starts[digit] &+= 1
                }
                swap(&from, &to)
                swap(&fromOrder, &toOrder)
            }
        }
    }

    /// Brings the points of some leaves into order, and finds their boxes.
    public func fill(leaves: Range<Int>, from points: UnsafePointer<Float>) {
        for leaf in leaves {
            var box = Box()
            let range = self.points(ofLeaf: leaf)
            for i in range {
                let point = Int(order[i])
                let (x, y) = (points[2 &* point], points[2 &* point &+ 1])
                (xs.pointer[i], ys.pointer[i]) = (x, y)
                box.add(Box(x: x, y: y, weight: 1, left: x, right: x, bottom: y, top: y))
            }
            box.finish()
            boxes[leaf] = box
            for i in range.upperBound..<(leaf &+ 1) &* PlanePoints.leaf {
                xs.pointer[i] = xs.pointer[range.upperBound &- 1]
                ys.pointer[i] = ys.pointer[range.upperBound &- 1]
            }
        }
    }

    /// The boxes above the leaves.
    public func join() {
        for level in 1..<max(1, levels.count) {
            for box in 0..<levels[level].count {
                var whole = Box()
                for part in parts(level: level, box) { whole.add(boxes[levels[level &- 1].start &+ part]) }
                whole.finish()
                boxes[levels[level].start &+ box] = whole
            }
        }
    }
}

/// The place of a cell of a square of 2¹⁶ × 2¹⁶ on Hilbert's curve: neighbours on the curve are neighbours in
/// the square.
func hilbertIndex(_ column: UInt32, _ row: UInt32) -> UInt32 {
    var (x, y) = (column, row)
    var index: UInt32 = 0
    var side: UInt32 = 1 << 15
    while side > 0 {
        let (right, upper): (UInt32, UInt32) = (x & side > 0 ? 1 : 0, y & side > 0 ? 1 : 0)
        index &+= side &* side &* ((3 &* right) ^ upper)
        if upper == 0 {
            if right == 1 { (x, y) = (65535 &- x, 65535 &- y) }
            swap(&x, &y)
        }
        side &>>= 1
    }
    return index
}
