import TSimCNEKernels

/// The contrastive loss (Böhm et al. 2023, equation 2) and its gradient.
///
///     loss = 1/Vn · Σ_i [ -1/(V-1) · Σ_j log q(i, j) + log Σ_{k≠i} q(i, k) ]
///
/// for V views of n images, where j runs over the other views of i's image: with the paper's two views
/// there is one such j. All other views of the batch are shared as negatives.
///
/// Rows are streamed: the sums Σ_k q(i, k) first, then the gradient of each row from all pairs it is in.
/// Memory is O(n · d). docs/derivations/infonce.md has the gradient.
public final class InfoNCE {
    public let similarity: Similarity
    /// Number of views of an image.
    public let views: Int
    /// The temperature's logarithm, where it is trained too.
    let temperature: Parameter?
    /// The mean loss of the last run.
    public private(set) var loss = 0.0

    public init(_ similarity: Similarity, views: Int = 2, temperature: Parameter? = nil) {
        self.similarity = similarity
        self.views = views
        self.temperature = temperature
    }

    /// Appends the loss of `embeddings` (Vn × d, first views first) and its gradient.
    public func write(into program: Program, workspace: Workspace, embeddings: Tensor, gradient: Tensor) {
        program.keepAlive(workspace)
        let count = embeddings.shape.images
        let scales = workspace.tensor(Shape(rows: 1, columns: count))
        let memory = workspace.tensor(Shape(rows: 1, columns: 2 * count))
        let losses = UnsafeMutableRawPointer(memory.pointer).assumingMemoryBound(to: Double.self)
        let positives = Positives(views: views, count: count)
        let pairs = InfoNCE.pairs(embeddings, positives, similarity, workspace)
        if let temperature {
            program.add("loss temperature", slices: 1) { [similarity] _, _ in
                similarity.temperature = similarity.metric.temperature(
                    ofLogarithm: temperature.value.pointer[0])
            }
        }
        pairs.addPreparation(to: program)
        let slices = (count + pairs.block - 1) / pairs.block
        func rows(_ slice: Int) -> Range<Int> {
            slice * pairs.block..<min(count, (slice + 1) * pairs.block)
        }
        program.add("loss sums", slices: slices, scratch: pairs.scratchCount) { slice, scratch in
            pairs.forEachSum(rows(slice), scratch) { row, sum in
                scales.pointer[row] = sum.scale
                losses[row] = sum.logarithm - sum.logPositive
            }
        }
        program.add("loss", slices: 1) { [self] _, _ in
            var total = 0.0
            for row in 0..<count { total += losses[row] }
            loss = total / Double(count)
        }
        program.add("loss gradient", slices: slices, scratch: pairs.scratchCount) { slice, scratch in
            pairs.forEachGradient(
                rows(slice), scales: scales.pointer, into: gradient.pointer, scratch
            ) { row, byTemperature in losses[row] = byTemperature }
        }
        if let temperature {
            let share = similarity.metric.shareOfLogarithm
            program.add("loss temperature gradient", slices: 1) { _, _ in
                var total = 0.0
                for row in 0..<count { total += losses[row] }
                temperature.gradient.pointer[0] = Float(share * total)
            }
        }
        workspace.release(memory)
        workspace.release(scales)
        pairs.release(to: workspace)
    }

    static func pairs(
        _ embeddings: Tensor, _ positives: Positives, _ similarity: Similarity, _ workspace: Workspace
    ) -> any Pairs {
        similarity.metric.isOfDistance && embeddings.shape.channels <= PairsByDifference.highestDimension
            ? PairsByDifference(embeddings, positives, similarity, workspace)
            : PairsByProduct(embeddings, positives, similarity, workspace)
    }

    /// Bytes that the loss of embeddings in the caller's memory takes from the system, also by parts.
    public static func plannedBytes(
        images: Int, views: Int, dimension: Int, _ similarity: Similarity, threads: Int
    ) -> Int {
        let floats = saturatingProduct(images, views, dimension)
        guard floats < Workspace.capacity / 64 else {
            return saturatingProduct(floats, MemoryLayout<Float>.stride)
        }
        let (program, workspace) = (Program(), Workspace.planning())
        let shape = Shape(rows: views * images, columns: dimension)
        let (input, output) = (workspace.tensor(shape), workspace.tensor(shape))
        InfoNCE(similarity, views: views)
            .write(into: program, workspace: workspace, embeddings: input, gradient: output)
        return (workspace.peak + program.scratchCount * threads) * MemoryLayout<Float>.stride
    }

    /// Loss and, where wanted, gradient of embeddings in the caller's memory.
    public static func evaluate(
        _ embeddings: UnsafePointer<Float>, images: Int, views: Int = 2, dimension: Int,
        _ similarity: Similarity, gradient: UnsafeMutablePointer<Float>?, pool: ThreadPool
    ) -> Double {
        let input = Tensor(Shape(rows: views * images, columns: dimension))
        input.pointer.update(from: embeddings, count: input.count)
        let output = Tensor(input.shape)
        let program = Program()
        let loss = InfoNCE(similarity, views: views)
        loss.write(into: program, workspace: Workspace(), embeddings: input, gradient: output)
        BLAS.singleThreaded { program.run(on: pool) }
        gradient?.update(from: output.pointer, count: output.count)
        return loss.loss
    }
}

/// The similarities of all pairs, made when they are wanted, row by row: those of a slice's rows at once.
protocol Pairs {
    /// Rows of a slice.
    var block: Int { get }
    /// Floats of scratch that a slice wants.
    var scratchCount: Int { get }
    /// Appends what has to be known of the embeddings.
    func addPreparation(to program: Program)
    /// Calls `body` with what the loss of a row consists of.
    func forEachSum(
        _ rows: Range<Int>, _ scratch: UnsafeMutablePointer<Float>,
        _ body: (_ row: Int, _ sum: PairSum) -> Void)
    /// Writes the loss's gradient with respect to the rows, from the sums' scales, and calls
    /// `body(row, T · ∂loss/∂T)` with the row's part of that.
    func forEachGradient(
        _ rows: Range<Int>, scales: UnsafePointer<Float>, into gradient: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>, _ body: (_ row: Int, _ byTemperature: Double) -> Void)
    func release(to workspace: Workspace)
}

/// One row's sum Σ_k q(row, k) over all others.
struct PairSum {
    /// The sum's logarithm.
    let logarithm: Double
    /// What the gradient wants of the sum: its inverse, or for a metric that is worked on in logarithms its
    /// logarithm.
    let scale: Float
    /// The mean of log q over the row's positives.
    let logPositive: Double
}

/// Which rows are views of the same image: those that lie a multiple of the number of images apart.
struct Positives {
    let views: Int
    /// Number of rows.
    let count: Int

    /// Number of other views of an image.
    var number: Int { views - 1 }

    /// The row of the `index`-th other view of `row`'s image.
    @inline(__always)
    func row(_ index: Int, of row: Int) -> Int {
        let other = row + (index + 1) * (count / views)
        return other < count ? other : other - count
    }
}
