import TSimCNEKernels

/// Points of the plane that go where their neighbours are, each by itself: no network binds them.
///
/// The loss is the contrastive one with all points as negatives and one normaliser for all pairs, which is that
/// of t-SNE (van der Maaten and Hinton 2008; Damrich et al. 2023 for the relation):
///
///     loss = ½ [Σ_ij p_ij (-log w_ij) + n log Σ_{i≠j} w_ij],    w = 1 / (1 + d²)
///
/// for weights p that add up to n, so that a rate does not depend on the number of points.
/// Points move along its negative gradient with momentum and a gain for each coordinate (Jacobs 1988), which
/// grows while force and velocity agree. Positions, velocities and gains are the caller's memory, and all the
/// state there is: a run that goes on from them has the bits of one that was never interrupted.
public final class FreePoints {
    /// The neighbours of all points: those of point i are `neighbors[offsets[i]..<offsets[i + 1]]`. Weights are
    /// symmetric, and n in all.
    public struct Graph {
        public let offsets: UnsafePointer<Int64>
        public let neighbors: UnsafePointer<Int32>
        public let weights: UnsafePointer<Float>

        public init(
            offsets: UnsafePointer<Int64>, neighbors: UnsafePointer<Int32>, weights: UnsafePointer<Float>
        ) {
            self.offsets = offsets
            self.neighbors = neighbors
            self.weights = weights
        }
    }

    /// How points move.
    public struct Motion {
        /// Factor of what attracts.
        public var exaggeration: Float
        public var rate: Float
        public var momentum: Float

        public init(exaggeration: Float, rate: Float, momentum: Float) {
            self.exaggeration = exaggeration
            self.rate = rate
            self.momentum = momentum
        }
    }

    private static let smallestGain: Float = 0.01
    /// Points of a slice of simple loops.
    private static let block = 2048

    private let count: Int
    private let positions: UnsafeMutablePointer<Float>
    private let velocities: UnsafeMutablePointer<Float>
    private let gains: UnsafeMutablePointer<Float>
    private let graph: Graph
    private let motion: Motion
    private let tree: PlanePoints
    private let repulsion: Repulsion
    /// Sums of similarities of each point, and of their forces.
    private let similarities: AlignedBuffer
    private let forces: AlignedBuffer
    private let program = Program()
    /// The square that holds all points.
    private var (left, bottom, width): (Float, Float, Float) = (0, 0, 0)
    /// Σ_{i≠j} w_ij of the last step.
    private var normalizer = 1.0

    /// - Parameters:
    ///   - count: number of points.
    ///   - positions: count × 2.
    ///   - velocities: count × 2, zero in the beginning.
    ///   - gains: count × 2, one in the beginning.
    ///   - graph: who draws whom.
    ///   - motion: how they move.
    public init(
        count: Int, positions: UnsafeMutablePointer<Float>, velocities: UnsafeMutablePointer<Float>,
        gains: UnsafeMutablePointer<Float>, graph: Graph, motion: Motion
    ) {
        self.count = count
        self.positions = positions
        self.velocities = velocities
        self.gains = gains
        self.graph = graph
        self.motion = motion
        tree = PlanePoints(count: count)
        repulsion = Repulsion(tree)
        similarities = AlignedBuffer(count: count)
        forces = AlignedBuffer(count: 2 * count)
        write()
    }

    /// Bytes that a run takes beside the caller's memory.
    public static func plannedBytes(count: Int, threads: Int) -> Int {
        PlanePoints.bytes(count: count) + 12 * count + 4 * threads * Repulsion.scratchCount
    }

    /// Moves all points so many times.
    public func run(steps: Int, on pool: ThreadPool) {
        for _ in 0..<steps { program.run(on: pool) }
    }

    /// Appends a step. What is appended may not own these points, which own the program: nor may the functions
    /// that it calls, hence the constants.
    private func write() {
        let (count, tree) = (count, tree)
        let blocks = (count + FreePoints.block - 1) / FreePoints.block
        func block(_ slice: Int) -> Range<Int> {
            slice * FreePoints.block..<min(count, (slice + 1) * FreePoints.block)
        }
        program.add("square", slices: 1) { [unowned self] _, _ in findSquare() }
        program.add("places on the curve", slices: blocks) { [unowned self] slice, _ in
            tree.findKeys(block(slice), of: positions, left: left, bottom: bottom, width: width)
        }
        program.add("order", slices: 1) { [tree] _, _ in tree.sort() }
        let leaves = 16
        let groups = (tree.leaves + leaves - 1) / leaves
        func group(_ slice: Int) -> Range<Int> { slice * leaves..<min(tree.leaves, (slice + 1) * leaves) }
        program.add("boxes", slices: groups) { [unowned self] slice, _ in
            tree.fill(leaves: group(slice), from: positions)
        }
        program.add("larger boxes", slices: 1) { [tree] _, _ in tree.join() }
        program.add("repulsion", slices: groups, scratch: Repulsion.scratchCount) {
            [unowned self] slice, scratch in
            for leaf in group(slice) {
                repulsion.run(
                    leaf: leaf, weights: similarities.pointer, forces: forces.pointer, scratch: scratch)
            }
        }
        program.add("normaliser", slices: 1) { [unowned self] _, _ in
            var sum = 0.0
            for i in 0..<count { sum += Double(similarities.pointer[i]) }
            normalizer = max(sum, .leastNormalMagnitude)
        }
        program.add("velocities", slices: blocks) { [unowned self] slice, _ in accelerate(block(slice)) }
        program.add("positions", slices: 1) { [unowned self] _, _ in
            for k in 0..<2 * count { positions[k] += velocities[k] }
        }
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

    private func accelerate(_ range: Range<Int>) {
        let repulsion = Float(2 * Double(count) / normalizer)
        for i in range {
            let first = Int(graph.offsets[i])
            let neighbors = UnsafeBufferPointer(
                start: graph.neighbors + first, count: Int(graph.offsets[i + 1]) - first)
            let pull = attraction(
                of: i, among: positions, neighbors: neighbors, weights: graph.weights + first)
            let attracts = 2 * motion.exaggeration
            move(2 * i, by: attracts * pull.x + repulsion * forces.pointer[2 * i])
            move(2 * i + 1, by: attracts * pull.y + repulsion * forces.pointer[2 * i + 1])
        }
    }

    private func move(_ coordinate: Int, by force: Float) {
        let velocity = velocities[coordinate]
        let gain = force * velocity > 0 ? gains[coordinate] + 0.2 : gains[coordinate] * 0.8
        gains[coordinate] = max(FreePoints.smallestGain, gain)
        velocities[coordinate] = motion.momentum * velocity + motion.rate * gains[coordinate] * force
    }
}
