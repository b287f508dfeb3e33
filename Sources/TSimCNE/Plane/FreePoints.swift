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

    private let count: Int
    private let positions: UnsafeMutablePointer<Float>
    private let velocities: UnsafeMutablePointer<Float>
    private let gains: UnsafeMutablePointer<Float>
    private let graph: Graph
    private let motion: Motion
    /// Sums of similarities of each point, and of their forces, of ``PointRepulsion``.
    private let similarities: UnsafePointer<Float>
    private let forces: UnsafePointer<Float>
    private let program = Program()
    /// Σ_{i≠j} w_ij of the last step.
    private var normalizer = 1.0

    /// - Parameters:
    ///   - count: number of points.
    ///   - positions: count × 2.
    ///   - velocities: count × 2, zero in the beginning.
    ///   - gains: count × 2, one in the beginning.
    ///   - graph: who draws whom.
    ///   - motion: how they move.
    ///   - repulsion: the sums of ``PointRepulsion`` for where the points are, which are good for one step; nil
    ///     to find them in each.
    public init(
        count: Int, positions: UnsafeMutablePointer<Float>, velocities: UnsafeMutablePointer<Float>,
        gains: UnsafeMutablePointer<Float>, graph: Graph, motion: Motion,
        repulsion: UnsafePointer<Float>? = nil
    ) {
        self.count = count
        self.positions = positions
        self.velocities = velocities
        self.gains = gains
        self.graph = graph
        self.motion = motion
        if let repulsion {
            similarities = repulsion
        } else {
            let sums = AlignedBuffer(count: 3 * count)
            similarities = UnsafePointer(sums.pointer)
            program.keepAlive(sums)
            PointRepulsion(count: count, positions: positions, sums: sums.pointer).write(into: program)
        }
        forces = similarities + count
        write()
    }

    /// Bytes that a run takes beside the caller's memory, where it finds the repulsion itself.
    public static func plannedBytes(count: Int, threads: Int) -> Int {
        12 * count + PointRepulsion.plannedBytes(count: count, threads: threads)
    }

    /// Moves all points so many times.
    public func run(steps: Int, on pool: ThreadPool) {
        for _ in 0..<steps { program.run(on: pool) }
    }

    /// Appends a step. What is appended may not own these points, which own the program.
    private func write() {
        let (count, block) = (count, PointRepulsion.block)
        program.add("normaliser", slices: 1) { [unowned self] _, _ in
            var sum = 0.0
            for i in 0..<count { sum += Double(similarities[i]) }
            normalizer = max(sum, .leastNormalMagnitude)
        }
        program.add("velocities", slices: (count + block - 1) / block) { [unowned self] slice, _ in
            accelerate(slice * block..<min(count, (slice + 1) * block))
        }
        program.add("positions", slices: 1) { [unowned self] _, _ in
            for k in 0..<2 * count { positions[k] += velocities[k] }
        }
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
            move(2 * i, by: attracts * pull.x + repulsion * forces[2 * i])
            move(2 * i + 1, by: attracts * pull.y + repulsion * forces[2 * i + 1])
        }
    }

    private func move(_ coordinate: Int, by force: Float) {
        let velocity = velocities[coordinate]
        let gain = force * velocity > 0 ? gains[coordinate] + 0.2 : gains[coordinate] * 0.8
        gains[coordinate] = max(FreePoints.smallestGain, gain)
        velocities[coordinate] = motion.momentum * velocity + motion.rate * gains[coordinate] * force
    }
}
