import TSimCNEKernels

/// How similar two embeddings are.
public enum Metric: Sendable {
    /// 1 / (1 + (T d)²), the kernel of t-SNE.
    case cauchy
    /// exp(cos / T).
    case cosine
}

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
    public let metric: Metric
    public let temperature: Float
    /// Of an image.
    public let views: Int
    /// The mean loss of the last run.
    public private(set) var loss = 0.0

    public init(metric: Metric, temperature: Float, views: Int = 2) {
        self.metric = metric
        self.temperature = temperature
        self.views = views
    }

    /// Appends the loss of `embeddings` (Vn × d, first views first) and its gradient.
    public func write(into program: Program, workspace: Workspace, embeddings: Tensor, gradient: Tensor) {
        program.keepAlive(workspace)
        let count = embeddings.shape.images
        let inverseSums = workspace.tensor(Shape(rows: 1, columns: count))
        let memory = workspace.tensor(Shape(rows: 1, columns: 2 * count))
        let losses = UnsafeMutableRawPointer(memory.pointer).assumingMemoryBound(to: Double.self)
        let positives = Positives(views: views, count: count)
        let pairs: any Pairs =
            metric == .cauchy && embeddings.shape.channels <= PairsByDifference.highestDimension
            ? PairsByDifference(embeddings, positives, temperature: temperature, workspace)
            : PairsByProduct(embeddings, positives, metric: metric, temperature: temperature, workspace)
        pairs.addPreparation(to: program)
        let slices = (count + pairs.block - 1) / pairs.block
        func rows(_ slice: Int) -> Range<Int> {
            slice * pairs.block..<min(count, (slice + 1) * pairs.block)
        }
        program.add("loss sums", slices: slices, scratch: pairs.scratchCount) { slice, scratch in
            pairs.forEachSum(rows(slice), scratch) { row, sum, logPositive in
                inverseSums.pointer[row] = Float(1 / sum)
                losses[row] = Elementary.log(sum) - logPositive
            }
        }
        program.add("loss", slices: 1) { [self] _, _ in
            var total = 0.0
            for row in 0..<count { total += losses[row] }
            loss = total / Double(count)
        }
        program.add("loss gradient", slices: slices, scratch: pairs.scratchCount) { slice, scratch in
            pairs.writeGradient(
                rows(slice), inverseSums: inverseSums.pointer, into: gradient.pointer, scratch)
        }
        workspace.release(memory)
        workspace.release(inverseSums)
        pairs.release(to: workspace)
    }

    /// Loss and, where wanted, gradient of embeddings in the caller's memory.
    public static func evaluate(
        _ embeddings: UnsafePointer<Float>, images: Int, views: Int = 2, dimension: Int, metric: Metric,
        temperature: Float, gradient: UnsafeMutablePointer<Float>?, pool: ThreadPool
    ) -> Double {
        let input = Tensor(Shape(rows: views * images, columns: dimension))
        input.pointer.update(from: embeddings, count: input.count)
        let output = Tensor(input.shape)
        let program = Program()
        let loss = InfoNCE(metric: metric, temperature: temperature, views: views)
        loss.write(into: program, workspace: Workspace(), embeddings: input, gradient: output)
        OpenBLAS.singleThreaded { program.run(on: pool) }
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
    /// Calls `body(row, Σ_k≠row q(row, k), the mean of log q(row, positive))`.
    func forEachSum(
        _ rows: Range<Int>, _ scratch: UnsafeMutablePointer<Float>,
        _ body: (_ row: Int, _ sum: Double, _ logPositive: Double) -> Void)
    /// Writes the loss's gradient with respect to the rows, from the inverses of those sums.
    func writeGradient(
        _ rows: Range<Int>, inverseSums: UnsafePointer<Float>, into gradient: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>)
    func release(to workspace: Workspace)
}

/// Which rows are views of the same image: those that lie a multiple of the number of images apart.
struct Positives {
    let views: Int
    /// Of rows.
    let count: Int

    /// Other views of an image.
    var number: Int { views - 1 }

    /// The row of the `index`-th other view of `row`'s image.
    @inline(__always)
    func row(_ index: Int, of row: Int) -> Int {
        let other = row + (index + 1) * (count / views)
        return other < count ? other : other - count
    }
}
