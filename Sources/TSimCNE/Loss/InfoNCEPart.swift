import TSimCNEKernels

/// What one of several processes works out of a loss (``InfoNCE``): the rows of some images' views, of
/// embeddings that all processes have. First the sums of its rows; then, from the sums of all, their gradient.
public struct InfoNCEPart {
    private let embeddings: Tensor
    private let positives: Positives
    private let similarity: Similarity
    private let part: Range<Int>
    private let pool: ThreadPool

    /// The part of some images in the loss of `embeddings`, (views · images, dimension), first views first,
    /// which are copied.
    public init(
        _ embeddings: UnsafePointer<Float>, images: Int, views: Int, dimension: Int, _ similarity: Similarity,
        part: Range<Int>, pool: ThreadPool
    ) {
        self.embeddings = Tensor(Shape(rows: views * images, columns: dimension))
        self.embeddings.pointer.update(from: embeddings, count: self.embeddings.count)
        positives = Positives(views: views, count: views * images)
        self.similarity = similarity
        self.part = part
        self.pool = pool
    }

    /// Writes what ``gradient(scales:into:)`` wants of each own row, (views, images of the part).
    ///
    /// - Returns: The part's share of the loss; shares add up.
    public func sums(into scales: UnsafeMutablePointer<Float>) -> Double {
        let total = sum { pairs, rows, shift, scratch, values in
            pairs.forEachSum(rows, scratch) { row, sum in
                scales[row - shift] = sum.scale
                values[row - shift] = sum.logarithm - sum.logPositive
            }
        }
        return total / Double(positives.count)
    }

    /// Writes the loss's gradient with respect to the own rows, (views, images of the part, dimension), from
    /// the scales of all rows, (views, images).
    ///
    /// - Returns: The part's share of the derivative with respect to the temperature's logarithm.
    public func gradient(
        scales: UnsafePointer<Float>, into gradient: UnsafeMutablePointer<Float>
    ) -> Double {
        let dimension = embeddings.shape.channels
        // Kernels read whole vectors, also where the caller's memory has ended.
        let padded = Tensor(Shape(rows: 1, columns: positives.count))
        padded.pointer.update(from: scales, count: positives.count)
        let total = sum { pairs, rows, shift, scratch, values in
            // The gradient would begin here if all rows were written.
            let whole = gradient - shift * dimension
            pairs.forEachGradient(rows, scales: padded.pointer, into: whole, scratch) { row, byTemperature in
                values[row - shift] = byTemperature
            }
        }
        return similarity.metric.shareOfLogarithm * total
    }

    /// The sum of what `body` writes into `values` for each own row. A row of the batch is `shift` rows further
    /// among the part's.
    private func sum(
        _ body:
            @escaping (
                _ pairs: any Pairs, _ rows: Range<Int>, _ shift: Int, _ scratch: UnsafeMutablePointer<Float>,
                _ values: UnsafeMutablePointer<Double>
            ) -> Void
    ) -> Double {
        let (program, workspace) = (Program(), Workspace())
        program.keepAlive(workspace)
        let pairs = InfoNCE.pairs(embeddings, positives, similarity, workspace)
        pairs.addPreparation(to: program)
        let own = positives.views * part.count
        let values = UnsafeMutablePointer<Double>.allocate(capacity: own)
        defer { values.deallocate() }
        let slicesOfView = (part.count + pairs.block - 1) / pairs.block
        let (part, images) = (part, positives.count / positives.views)
        program.add("part", slices: positives.views * slicesOfView, scratch: pairs.scratchCount) {
            slice, scratch in
            let view = slice / slicesOfView
            let first = part.lowerBound + slice % slicesOfView * pairs.block
            let last = min(part.upperBound, first + pairs.block)
            let shift = view * (images - part.count) + part.lowerBound
            body(pairs, view * images + first..<view * images + last, shift, scratch, values)
        }
        BLAS.singleThreaded { program.run(on: pool) }
        return (0..<own).reduce(0) { $0 + values[$1] }
    }
}
