import TSimCNEKernels

/// Similarities from matrix products of embeddings: centred for the Cauchy kernel, of unit length for the
/// cosine.
///
/// Rows and columns come in blocks whose products stay in the second-level cache until they are used.
final class PairsByProduct: Pairs {
    let block = 64
    /// Columns that are worked on together.
    private static let columns = 1024

    private let count: Int
    private let dimension: Int
    private let metric: Metric
    private let temperature: Float
    private let positives: Positives
    private let embeddings: Tensor
    /// Centred, or of unit length.
    private let rows: Tensor
    /// Squared norms of centred rows, or inverse norms of the embeddings.
    private let norms: Tensor
    /// For each block of columns: the rows as the right-hand side of products with rows, and of products
    /// with weights.
    private let transposed: Tensor
    private let packed: Tensor

    init(
        _ embeddings: Tensor, _ positives: Positives, metric: Metric, temperature: Float,
        _ workspace: Workspace
    ) {
        self.embeddings = embeddings
        self.positives = positives
        self.metric = metric
        self.temperature = temperature
        count = embeddings.shape.images
        dimension = embeddings.shape.channels
        rows = workspace.tensor(embeddings.shape)
        norms = workspace.tensor(Shape(rows: 1, columns: count))
        let blocks = (count + PairsByProduct.columns - 1) / PairsByProduct.columns
        transposed = workspace.tensor(
            Shape(rows: blocks, columns: gemmScratchCount(n: PairsByProduct.columns, k: dimension)))
        packed = workspace.tensor(
            Shape(rows: blocks, columns: gemmScratchCount(n: dimension, k: PairsByProduct.columns)))
    }

    func release(to workspace: Workspace) {
        for tensor in [rows, norms, transposed, packed] { workspace.release(tensor) }
    }

    var scratchCount: Int { block * (PairsByProduct.columns + dimension) + positives.number }

    func addPreparation(to program: Program) {
        let width = PairsByProduct.columns
        program.add("loss prepare", slices: 1) { [self] _, _ in prepareRows() }
        program.add("loss pack", slices: transposed.shape.images) { [self] index, _ in
            let first = index * width
            let source = rows.pointer + first * dimension
            let columns = min(width, count - first)
            packMatrix(
                rows: dimension, columns: columns, source: source, rowStride: 1, columnStride: dimension,
                into: transposed.pointer + index * transposed.shape.channels)
            packMatrix(
                rows: columns, columns: dimension, source: source, rowStride: dimension, columnStride: 1,
                into: packed.pointer + index * packed.shape.channels)
        }
    }

    private func prepareRows() {
        let mean = metric == .cauchy ? centre() : [Float](repeating: 0, count: dimension)
        for row in 0..<count {
            let source = embeddings.pointer + row * dimension
            let target = rows.pointer + row * dimension
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

    /// Calls `body(columns, similarities)` for each block of columns; row r of `range` has its similarities
    /// in the r-th line of ``columns`` floats, which are the body's to change.
    private func forEachBlock(
        _ range: Range<Int>, _ scratch: UnsafeMutablePointer<Float>, _ body: (Int, Range<Int>) -> Void
    ) {
        let width = PairsByProduct.columns
        for index in 0..<transposed.shape.images {
            let columns = index * width..<min(count, (index + 1) * width)
            multiplyPackedMatrix(
                m: range.count, n: columns.count, k: dimension,
                a: rows.pointer + range.lowerBound * dimension, rowStrideA: dimension,
                packed: transposed.pointer + index * transposed.shape.channels, c: scratch, rowStrideC: width,
                accumulate: false)
            for row in range {
                let values = scratch + (row - range.lowerBound) * width
                switch metric {
                case .cauchy:
                    PairSums.squaredDistances(
                        fromProducts: values, of: rows.pointer + row * dimension, norm: norms.pointer[row],
                        rows: rows.pointer + columns.lowerBound * dimension, dimension: dimension,
                        norms: norms.pointer + columns.lowerBound, count: columns.count)
                    PairSums.cauchy(
                        values, squaredTemperature: temperature * temperature, count: columns.count)
                case .cosine:
                    PairSums.cosine(values, inverseTemperature: 1 / temperature, count: columns.count)
                }
            }
            body(index, columns)
        }
    }

    func forEachSum(
        _ range: Range<Int>, _ scratch: UnsafeMutablePointer<Float>,
        _ body: (_ row: Int, _ sum: Double, _ logPositive: Double) -> Void
    ) {
        var sums = [Double](repeating: 0, count: range.count)
        var logarithms = sums
        forEachBlock(range, scratch) { _, columns in
            for (i, row) in range.enumerated() {
                let values = scratch + i * PairsByProduct.columns
                for p in 0..<positives.number {
                    let other = positives.row(p, of: row)
                    if columns.contains(other) {
                        logarithms[i] += Elementary.log(Double(values[other - columns.lowerBound]))
                    }
                }
                if columns.contains(row) { values[row - columns.lowerBound] = 0 }
                sums[i] += PairSums.sum(values, count: columns.count)
            }
        }
        for (i, row) in range.enumerated() {
            body(row, sums[i], logarithms[i] / Double(positives.number))
        }
    }

    func writeGradient(
        _ range: Range<Int>, inverseSums: UnsafePointer<Float>,
        into gradient: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
    ) {
        let width = PairsByProduct.columns
        let products = scratch + block * width
        let own = products + block * dimension
        let share = 2 / Float(positives.number)
        var totals = [Double](repeating: 0, count: range.count)
        forEachBlock(range, scratch) { index, columns in
            for (i, row) in range.enumerated() {
                let values = scratch + i * width
                // d log q is -q·d(T²d²) for Cauchy, so q stands where it is 1 for the cosine.
                for p in 0..<positives.number {
                    let other = positives.row(p, of: row)
                    guard columns.contains(other) else { continue }
                    own[p] = metric == .cosine ? 1 : values[other - columns.lowerBound]
                }
                PairSums.weigh(
                    values, squares: metric == .cauchy, inverse: inverseSums[row],
                    inverses: inverseSums + columns.lowerBound, count: columns.count)
                // Each pair counts from both of its ends; the positive once from each.
                for p in 0..<positives.number {
                    let other = positives.row(p, of: row)
                    if columns.contains(other) { values[other - columns.lowerBound] -= share * own[p] }
                }
                if columns.contains(row) { values[row - columns.lowerBound] = 0 }
                totals[i] += PairSums.sum(values, count: columns.count)
            }
            multiplyPackedMatrix(
                m: range.count, n: dimension, k: columns.count, a: scratch, rowStrideA: width,
                packed: packed.pointer + index * packed.shape.channels, c: products, rowStrideC: dimension,
                accumulate: index > 0)
        }
        for (i, row) in range.enumerated() {
            combine(row, products + i * dimension, total: totals[i], into: gradient + row * dimension)
        }
    }

    /// The gradient from Σ_k w u_k: Σ_k w (u_k - u_i) for Cauchy, the part across u_i for the cosine.
    private func combine(
        _ row: Int, _ product: UnsafePointer<Float>, total: Double, into target: UnsafeMutablePointer<Float>
    ) {
        let own = rows.pointer + row * dimension
        switch metric {
        case .cauchy:
            let scale = 2 * temperature * temperature / Float(count)
            for d in 0..<dimension { target[d] = scale * (product[d] - Float(total) * own[d]) }
        case .cosine:
            var along = 0.0
            for d in 0..<dimension { along += Double(product[d]) * Double(own[d]) }
            let factor = norms.pointer[row] / (temperature * Float(count))
            for d in 0..<dimension { target[d] = factor * (product[d] - Float(along) * own[d]) }
        }
    }
}
