import Support
import TSimCNE
import TSimCNEKernels
import Testing

@Suite struct FreePointsTests {
    /// Points, what draws them, and how they moved.
    final class Run {
        var positions, velocities, gains: [Float]
        let offsets: [Int64]
        let neighbors: [Int32]
        let weights: [Float]

        init(count: Int, seed: UInt64 = 5) {
            positions = values(2 * count, seed: seed).map { 3 * $0 }
            velocities = [Float](repeating: 0, count: 2 * count)
            gains = [Float](repeating: 1, count: 2 * count)
            // Each point is drawn by the two beside it, around a ring.
            var neighbors: [Int32] = []
            for i in 0..<count { neighbors += [Int32((i + count - 1) % count), Int32((i + 1) % count)] }
            self.neighbors = neighbors
            offsets = (0...count).map { Int64(2 * $0) }
            weights = [Float](repeating: 0.5, count: 2 * count)
        }

        func move(
            steps: Int, exaggeration: Float = 1, rate: Float = 0.1, momentum: Float = 0, threads: Int = 1,
            repulsion: [Float]? = nil
        ) {
            let count = positions.count / 2
            positions.withUnsafeMutableBufferPointer { positions in
                velocities.withUnsafeMutableBufferPointer { velocities in
                    gains.withUnsafeMutableBufferPointer { gains in
                        let graph = FreePoints.Graph(offsets: offsets, neighbors: neighbors, weights: weights)
                        let motion = FreePoints.Motion(
                            exaggeration: exaggeration, rate: rate, momentum: momentum)
                        func run(_ repulsion: UnsafePointer<Float>?) {
                            FreePoints(
                                count: count, positions: positions.baseAddress!,
                                velocities: velocities.baseAddress!, gains: gains.baseAddress!,
                                graph: graph, motion: motion, repulsion: repulsion
                            ).run(steps: steps, on: ThreadPool(threads: threads))
                        }
                        if let repulsion {
                            repulsion.withUnsafeBufferPointer { run($0.baseAddress) }
                        } else {
                            run(nil)
                        }
                    }
                }
            }
        }

        /// All weights, as a matrix.
        var matrix: [Double] {
            let count = positions.count / 2
            var result = [Double](repeating: 0, count: count * count)
            for i in 0..<count {
                for k in Int(offsets[i])..<Int(offsets[i + 1]) {
                    result[i * count + Int(neighbors[k])] += Double(weights[k])
                }
            }
            return result
        }
    }

    /// What a program's closures call may own what owns the program, as local functions do that say `count`.
    @Test func pointsAreGivenBack() {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 4)
        defer { memory.deallocate() }
        let graph = FreePoints.Graph(offsets: [0, 0, 0], neighbors: [], weights: [])
        let motion = FreePoints.Motion(exaggeration: 1, rate: 1, momentum: 0)
        weak var points: FreePoints?
        do {
            let made = FreePoints(
                count: 2, positions: memory, velocities: memory, gains: memory, graph: graph, motion: motion)
            points = made
        }
        #expect(points == nil)
    }

    @Test(arguments: [2, 5, 40])
    func theFirstStepIsDownTheGradient(count: Int) {
        let run = Run(count: count)
        run.positions = run.positions.map { $0 / 8 }
        let (y, p) = (doubles(run.positions), run.matrix)
        run.move(steps: 1, rate: 0.25)
        // No velocity agrees with a force yet.
        let moved = zip(run.velocities, run.gains).map { Double($0) / (0.25 * Double($1)) }
        let gradient = (0..<2 * count).map {
            centralDifference(y, $0) { PointsReference.loss($0, weights: p) }
        }
        #expect(relativeError(moved.map(Float.init), gradient.map { -$0 }, floor: 0.1) < 1e-3)
        #expect(run.gains.allSatisfy { $0 == 0.8 })
    }

    @Test func theLossFalls() {
        let run = Run(count: 300)
        let before = PointsReference.loss(doubles(run.positions), weights: run.matrix)
        run.move(steps: 300, momentum: 0.5)
        #expect(PointsReference.loss(doubles(run.positions), weights: run.matrix) < before - 100)
    }

    @Test func exaggerationDrawsPointsTogether() {
        let (plain, drawn) = (Run(count: 100), Run(count: 100))
        plain.move(steps: 100)
        drawn.move(steps: 100, exaggeration: 12)
        func spread(_ run: Run) -> Float { run.positions.reduce(0) { $0 + $1 * $1 } }
        #expect(spread(drawn) < spread(plain) / 2)
    }

    @Test func bitsDependNeitherOnThreadsNorOnCalls() {
        let (one, other) = (Run(count: 5000), Run(count: 5000))
        one.move(steps: 12, momentum: 0.8)
        for steps in [1, 4, 7] { other.move(steps: steps, momentum: 0.8, threads: 3) }
        #expect(one.positions == other.positions && one.velocities == other.velocities)
        #expect(one.gains == other.gains)
    }

    /// The repulsion is found in parts, by processes that share the points, and added up.
    @Test(arguments: [2, 70, 5000], [1, 2, 3, 7])
    func bitsDoNotDependOnParts(count: Int, parts: Int) {
        let (one, shared) = (Run(count: count), Run(count: count))
        one.move(steps: 3, momentum: 0.8)
        for _ in 0..<3 {
            var whole = [Float](repeating: 0, count: 3 * count)
            for part in 0..<parts {
                var sums = [Float](repeating: 0, count: 3 * count)
                shared.positions.withUnsafeBufferPointer { positions in
                    sums.withUnsafeMutableBufferPointer { sums in
                        let program = Program()
                        PointRepulsion(
                            count: count, positions: positions.baseAddress!, sums: sums.baseAddress!
                        ).write(into: program, part: part, of: parts)
                        program.run(on: ThreadPool(threads: 2))
                    }
                }
                for i in 0..<whole.count { whole[i] += sums[i] }
            }
            shared.move(steps: 1, momentum: 0.8, repulsion: whole)
        }
        #expect(one.positions == shared.positions && one.velocities == shared.velocities)
    }
}
