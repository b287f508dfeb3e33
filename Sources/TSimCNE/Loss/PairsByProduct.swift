import TSimCNEKernels

/// Similarities from matrix products of embeddings: centred for kernels of the distance, of unit length for
/// the cosine.
///
/// Rows and columns come in blocks whose products stay in the second-level cache until they are used.
final class PairsByProduct: Pairs {
    let block = 64
    /// Columns that are worked on together.
    private static let columns = 1024

    private let count: Int
    private let dimension: Int
    private let similarity: Similarity
    private let positives: Positives
    private let embeddings: Tensor
    /// The embeddings, centred or of unit length.
    private let rows: Tensor
    /// Squared norms of centred rows, or inverse norms of the embeddings.
    private let norms: Tensor
    /// The rows of each block of columns, as the right-hand side of products with rows, and of products
    /// with weights.
    private let transposed: Tensor
    private let packed: Tensor

    init(
        _ embeddings: Tensor, _ positives: Positives, _ similarity: Similarity, _ workspace: Workspace
    ) {
        self.embeddings = embeddings
        self.positives = positives
        self.similarity = similarity
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
        let mean = similarity.metric.isOfDistance ? centre() : [Float](repeating: 0, count: dimension)
        for row in 0..<count {
            let source = embeddings.pointer + row * dimension
            let target = rows.pointer + row * dimension
            var square = 0.0
            for d in 0..<dimension {
                target[d] = source[d] - mean[d]
                square += Double(target[d]) * Double(target[d])
            }
            if similarity.metric.isOfDistance {
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

    /// Calls `body(columns, values)` for each block of columns; row r of `range` has its similarities, or its
    /// squared distances for a kernel that is worked on in logarithms, in the r-th line of ``columns`` floats,
    /// which are the body's to change.
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
                if similarity.metric == .cosine {
                    let inverse = 1 / similarity.temperature
                    PairSums.cosine(values, inverseTemperature: inverse, count: columns.count)
                    continue
                }
                PairSums.squaredDistances(
                    fromProducts: values, of: rows.pointer + row * dimension, norm: norms.pointer[row],
                    rows: rows.pointer + columns.lowerBound * dimension, dimension: dimension,
                    norms: norms.pointer + columns.lowerBound, count: columns.count)
                guard similarity.metric == .cauchy else { continue }
                PairSums.cauchy(
                    values, squaredTemperature: similarity.squaredTemperature, count: columns.count)
            }
            body(index, columns)
        }
    }

    func forEachSum(
        _ range: Range<Int>, _ scratch: UnsafeMutablePointer<Float>,
        _ body: (_ row: Int, _ sum: PairSum) -> Void
    ) {
        let kernel = similarity.kernel
        var sums = [Double](repeating: 0, count: range.count)
        var logarithms = sums
        // What logarithms are shifted by: the largest of the blocks before.
        var shifts = [Float](repeating: -.infinity, count: range.count)
        forEachBlock(range, scratch) { _, columns in
            for (i, row) in range.enumerated() {
                let values = scratch + i * PairsByProduct.columns
                if let kernel {
                    PairSums.logarithms(
                        values, kernel, squaredTemperature: similarity.squaredTemperature,
                        count: columns.count)
                }
                for p in 0..<positives.number {
                    let other = positives.row(p, of: row)
                    if columns.contains(other) {
                        let value = Double(values[other - columns.lowerBound])
                        logarithms[i] += kernel == nil ? Elementary.log(value) : value
                    }
                }
                if columns.contains(row) {
                    values[row - columns.lowerBound] = kernel == nil ? 0 : -.infinity
                }
                if kernel != nil {
                    let largest = PairSums.largest(values, count: columns.count)
                    if largest > shifts[i] {
                        sums[i] *= Elementary.exp(Double(shifts[i]) - Double(largest))
                        shifts[i] = largest
                    }
                    PairSums.exponentials(values, shift: shifts[i], count: columns.count)
                }
                sums[i] += PairSums.sum(values, count: columns.count)
            }
        }
        for (i, row) in range.enumerated() {
            let logarithm = Elementary.log(sums[i]) + (kernel == nil ? 0 : Double(shifts[i]))
            body(
                row,
                PairSum(
                    logarithm: logarithm, scale: kernel == nil ? Float(1 / sums[i]) : Float(logarithm),
                    logPositive: logarithms[i] / Double(positives.number)))
        }
    }

    func forEachGradient(
        _ range: Range<Int>, scales: UnsafePointer<Float>, into gradient: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>, _ body: (_ row: Int, _ byTemperature: Double) -> Void
    ) {
        let width = PairsByProduct.columns
        let products = scratch + block * width
        let own = products + block * dimension
        let share = 2 / Float(positives.number)
        var totals = [Double](repeating: 0, count: range.count)
        forEachBlock(range, scratch) { index, columns in
            for (i, row) in range.enumerated() {
                let values = scratch + i * width
                for p in 0..<positives.number {
                    let other = positives.row(p, of: row)
                    guard columns.contains(other) else { continue }
                    own[p] = similarity.slope(values[other - columns.lowerBound])
                }
                similarity.weigh(
                    values, scale: scales[row], scales: scales + columns.lowerBound, count: columns.count)
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
            let target = gradient + row * dimension
            body(row, combine(row, products + i * dimension, total: totals[i], into: target))
        }
    }

    /// The gradient from Σ_k w u_k: Σ_k w (u_k - u_i) for distances, the part across u_i for the cosine. The
    /// row's part of T ∂loss/∂T: the loss depends on T u for distances, on cos / T for the cosine, whose pairs
    /// count half from each end.
    private func combine(
        _ row: Int, _ product: UnsafePointer<Float>, total: Double, into target: UnsafeMutablePointer<Float>
    ) -> Double {
        let own = rows.pointer + row * dimension
        if similarity.metric == .cosine {
            var along = 0.0
            for d in 0..<dimension { along += Double(product[d]) * Double(own[d]) }
            let scale = 1 / (similarity.temperature * Float(count))
            let factor = norms.pointer[row] * scale
            for d in 0..<dimension { target[d] = factor * (product[d] - Float(along) * own[d]) }
            return -0.5 * along * Double(scale)
        }
        var byTemperature = 0.0
        let scale = 2 * similarity.squaredTemperature / Float(count)
        for d in 0..<dimension {
            target[d] = scale * (product[d] - Float(total) * own[d])
            byTemperature += Double(target[d]) * Double(own[d])
        }
        return byTemperature
    }
}
