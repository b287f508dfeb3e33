import Glibc

/// How similar two embeddings are.
public enum Metric: Sendable {
    /// 1 / (1 + (T d)²), the kernel of t-SNE.
    case cauchy
    /// exp(cos / T).
    case cosine
}

/// The contrastive loss (Böhm et al. 2023, equation 2) and its gradient.
///
///     loss = 1/2n · Σ_i [ -log q(i, j(i)) + log Σ_{k≠i} q(i, k) ]
///
/// Rows are streamed: the sums Σ_k q(i, k) first, then the gradient of each row from all pairs it is in.
/// Memory is O(n · d). docs/derivations/infonce.md has the gradient.
public final class InfoNCE {
    public let metric: Metric
    public let temperature: Float
    /// The mean loss of the last run.
    public private(set) var loss = 0.0

    public init(metric: Metric, temperature: Float) {
        self.metric = metric
        self.temperature = temperature
    }

    /// Up to here distances come from differences; beyond it from inner products of centred embeddings.
    private static let lowDimension = 8
    /// Rows of a slice.
    private static let block = 32

    /// Appends the loss of `embeddings` (2n × d, first views first) and its gradient.
    public func write(into program: Program, workspace: Workspace, embeddings: Tensor, gradient: Tensor) {
        program.keepAlive(workspace)
        let rows = Rows(self, embeddings: embeddings, workspace: workspace)
        let slices = (rows.count + InfoNCE.block - 1) / InfoNCE.block
        let positives = workspace.tensor(Shape(rows: 1, columns: 2 * rows.count))
        let losses = UnsafeMutableRawPointer(positives.pointer).assumingMemoryBound(to: Double.self)
        program.add("loss prepare", slices: 1) { _, _ in rows.prepare() }
        program.add("loss sums", slices: slices, scratch: rows.scratchCount) { slice, scratch in
            let range = slice * InfoNCE.block..<min(rows.count, (slice + 1) * InfoNCE.block)
            rows.forEachRow(range, scratch) { row, values in
                let positive = values[rows.partner(of: row)]
                values[row] = 0
                let sum = PairSums.sum(values, count: rows.count)
                rows.inverseSums.pointer[row] = Float(1 / sum)
                losses[row] = log(sum) - log(Double(positive))
            }
        }
        program.add("loss", slices: 1) { [self] _, _ in
            var total = 0.0
            for row in 0..<rows.count { total += losses[row] }
            loss = total / Double(rows.count)
        }
        program.add("loss gradient", slices: slices, scratch: rows.scratchCount) { slice, scratch in
            let range = slice * InfoNCE.block..<min(rows.count, (slice + 1) * InfoNCE.block)
            rows.writeGradient(range, into: gradient.pointer, scratch)
        }
        workspace.release(positives)
        rows.release(to: workspace)
    }

    /// Loss and, where wanted, gradient of embeddings in the caller's memory.
    public static func evaluate(
        _ embeddings: UnsafePointer<Float>, pairs: Int, dimension: Int, metric: Metric, temperature: Float,
        gradient: UnsafeMutablePointer<Float>?, pool: ThreadPool
    ) -> Double {
        let input = Tensor(Shape(rows: 2 * pairs, columns: dimension))
        input.pointer.update(from: embeddings, count: input.count)
        let output = Tensor(input.shape)
        let program = Program()
        let loss = InfoNCE(metric: metric, temperature: temperature)
        loss.write(into: program, workspace: Workspace(), embeddings: input, gradient: output)
        OpenBLAS.singleThreaded { program.run(on: pool) }
        gradient?.update(from: output.pointer, count: output.count)
        return loss.loss
    }

    /// The rows of the matrix of similarities, made when they are wanted.
    private final class Rows {
        let count: Int
        let dimension: Int
        let metric: Metric
        let temperature: Float
        let embeddings: Tensor
        /// Coordinates axis by axis (low dimension), or centred or normalised rows.
        let coordinates: Tensor
        let stride: Int
        /// Squared norms of centred rows, or inverse norms of the embeddings.
        let norms: Tensor
        let inverseSums: Tensor

        init(_ loss: InfoNCE, embeddings: Tensor, workspace: Workspace) {
            metric = loss.metric
            temperature = loss.temperature
            self.embeddings = embeddings
            count = embeddings.shape.images
            dimension = embeddings.shape.channels
            stride = (count + 15) / 16 * 16
            coordinates = workspace.tensor(Shape(rows: dimension, columns: stride))
            norms = workspace.tensor(Shape(rows: 1, columns: stride))
            inverseSums = workspace.tensor(Shape(rows: 1, columns: stride))
        }

        func release(to workspace: Workspace) {
            workspace.release(coordinates)
            workspace.release(norms)
            workspace.release(inverseSums)
        }

        private var usesDifferences: Bool { metric == .cauchy && dimension <= InfoNCE.lowDimension }

        /// A block of rows, its product with all embeddings, and room for the product's packing.
        var scratchCount: Int {
            if usesDifferences { return stride }
            return InfoNCE.block * (stride + dimension)
                + max(
                    gemmScratchCount(n: count, k: dimension), gemmScratchCount(n: dimension, k: count))
        }

        func partner(of row: Int) -> Int { row < count / 2 ? row + count / 2 : row - count / 2 }

        func prepare() {
            let z = embeddings.pointer
            if usesDifferences {
                for d in 0..<dimension {
                    let axis = coordinates.pointer + d * stride
                    for row in 0..<count { axis[row] = z[row * dimension + d] }
                    for row in count..<stride { axis[row] = 0 }
                }
                return
            }
            let mean = metric == .cauchy ? centre() : [Float](repeating: 0, count: dimension)
            for row in 0..<count {
                let source = z + row * dimension
                let target = coordinates.pointer + row * dimension
                var square = 0.0
                for d in 0..<dimension {
                    target[d] = source[d] - mean[d]
                    square += Double(target[d]) * Double(target[d])
                }
                if metric == .cauchy {
                    norms.pointer[row] = Float(square)
                } else {
                    let inverse = Float(1 / max(square.squareRoot(), 1e-12))
                    norms.pointer[row] = inverse
                    for d in 0..<dimension { target[d] *= inverse }
                }
            }
        }

        private func centre() -> [Float] {
            var sums = [Double](repeating: 0, count: dimension)
            for row in 0..<count {
                for d in 0..<dimension { sums[d] += Double(embeddings.pointer[row * dimension + d]) }
            }
            return sums.map { Float($0 / Double(count)) }
        }

        /// Calls `body(row, similarities to all)`; the memory is the body's to change.
        func forEachRow(
            _ range: Range<Int>, _ scratch: UnsafeMutablePointer<Float>,
            _ body: (Int, UnsafeMutablePointer<Float>) -> Void
        ) {
            if !usesDifferences { multiply(range, scratch) }
            for row in range {
                var values = scratch
                if usesDifferences {
                    PairSums.squaredDistances(
                        of: row, count: count, dimension: dimension, coordinates: coordinates.pointer,
                        stride: stride, into: values)
                } else {
                    values = scratch + (row - range.lowerBound) * stride
                    if metric == .cauchy {
                        PairSums.squaredDistances(
                            fromProducts: values, of: row, rows: coordinates.pointer, dimension: dimension,
                            norms: norms.pointer, count: count)
                    }
                }
                switch metric {
                case .cauchy:
                    PairSums.cauchy(values, squaredTemperature: temperature * temperature, count: count)
                case .cosine: PairSums.cosine(values, inverseTemperature: 1 / temperature, count: count)
                }
                body(row, values)
            }
        }

        /// Inner products of a block of rows with all.
        private func multiply(_ range: Range<Int>, _ scratch: UnsafeMutablePointer<Float>) {
            let packing = scratch + InfoNCE.block * (stride + dimension)
            DenseAlgebra.multiply(
                m: range.count, n: count, k: dimension,
                a: coordinates.pointer + range.lowerBound * dimension, lda: dimension,
                b: coordinates.pointer, ldb: dimension, transposeB: true, c: scratch, ldc: stride,
                scratch: packing)
        }

        func writeGradient(
            _ range: Range<Int>, into gradient: UnsafeMutablePointer<Float>,
            _ scratch: UnsafeMutablePointer<Float>
        ) {
            // Each pair counts from both of its ends; the positive once from each.
            let scale: Float
            switch metric {
            case .cauchy: scale = 2 * temperature * temperature / Float(count)
            case .cosine: scale = 1 / (temperature * Float(count))
            }
            forEachRow(range, scratch) { row, values in
                let other = partner(of: row)
                let positive = values[other]
                let inverse = inverseSums.pointer[row]
                PairSums.weigh(
                    values, squares: metric == .cauchy, inverse: inverse, inverses: inverseSums.pointer,
                    count: count)
                // d log q is -q·d(T²d²) for Cauchy, so q stands where it is 1 for the cosine.
                let own = metric == .cauchy ? positive : 1
                let fromSums = values[other] / own
                values[row] = 0
                values[other] = own * (fromSums - 2)
                if usesDifferences {
                    for d in 0..<dimension {
                        let axis = coordinates.pointer + d * stride
                        let sum = PairSums.weightedDifference(
                            values, axis, centre: axis[row], count: count)
                        gradient[row * dimension + d] = scale * sum
                    }
                }
            }
            if !usesDifferences { combine(range, into: gradient, scale: scale, scratch) }
        }

        /// The gradient from the block's weights: Σ_k w (z_k - z_i) for Cauchy, the part of Σ_k w u_k
        /// across u_i for the cosine.
        private func combine(
            _ range: Range<Int>, into gradient: UnsafeMutablePointer<Float>, scale: Float,
            _ scratch: UnsafeMutablePointer<Float>
        ) {
            let products = scratch + InfoNCE.block * stride
            DenseAlgebra.multiply(
                m: range.count, n: dimension, k: count, a: scratch, lda: stride, b: coordinates.pointer,
                ldb: dimension, c: products, ldc: dimension,
                scratch: scratch + InfoNCE.block * (stride + dimension))
            for row in range {
                let product = products + (row - range.lowerBound) * dimension
                let own = coordinates.pointer + row * dimension
                let target = gradient + row * dimension
                switch metric {
                case .cauchy:
                    let total = Float(
                        PairSums.sum(scratch + (row - range.lowerBound) * stride, count: count))
                    for d in 0..<dimension { target[d] = scale * (product[d] - total * own[d]) }
                case .cosine:
                    var along = 0.0
                    for d in 0..<dimension { along += Double(product[d]) * Double(own[d]) }
                    let factor = scale * norms.pointer[row]
                    for d in 0..<dimension { target[d] = factor * (product[d] - Float(along) * own[d]) }
                }
            }
        }
    }
}
