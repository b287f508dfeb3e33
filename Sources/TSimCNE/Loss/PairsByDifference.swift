import TSimCNEKernels

/// Similarities of distances in few dimensions: distances are taken from differences, axis by axis, and keep
/// their precision at any distance from the origin.
final class PairsByDifference: Pairs {
    /// The most dimensions; beyond them inner products are faster.
    static let highestDimension = 8

    let block = 32
    private let count: Int
    private let dimension: Int
    private let similarity: Similarity
    private let positives: Positives
    private let embeddings: Tensor
    /// The embeddings' coordinates, axis by axis.
    private let coordinates: Tensor
    private let stride: Int

    init(_ embeddings: Tensor, _ positives: Positives, _ similarity: Similarity, _ workspace: Workspace) {
        self.embeddings = embeddings
        self.positives = positives
        self.similarity = similarity
        count = embeddings.shape.images
        dimension = embeddings.shape.channels
        stride = (count + 15) / 16 * 16
        coordinates = workspace.tensor(Shape(rows: dimension, columns: stride))
    }

    func release(to workspace: Workspace) { workspace.release(coordinates) }

    var scratchCount: Int { stride + positives.number }

    func addPreparation(to program: Program) {
        program.add("loss prepare", slices: dimension) { [self] d, _ in
            let axis = coordinates.pointer + d * stride
            for row in 0..<count { axis[row] = embeddings.pointer[row * dimension + d] }
            for row in count..<stride { axis[row] = 0 }
        }
    }

    /// The similarities of `row` to all, or the squared distances for a kernel that is worked on in
    /// logarithms.
    private func fill(_ row: Int, _ values: UnsafeMutablePointer<Float>) {
        PairSums.squaredDistances(
            of: row, count: count, dimension: dimension, coordinates: coordinates.pointer, stride: stride,
            into: values)
        guard similarity.metric == .cauchy else { return }
        PairSums.cauchy(values, squaredTemperature: similarity.squaredTemperature, count: count)
    }

    func forEachSum(
        _ rows: Range<Int>, _ scratch: UnsafeMutablePointer<Float>,
        _ body: (_ row: Int, _ sum: PairSum) -> Void
    ) {
        for row in rows {
            fill(row, scratch)
            guard let kernel = similarity.kernel else {
                let positive = meanOfPositives(of: row) { Elementary.log(Double(scratch[$0])) }
                scratch[row] = 0
                let sum = PairSums.sum(scratch, count: count)
                let logarithm = Elementary.log(sum)
                body(row, PairSum(logarithm: logarithm, scale: Float(1 / sum), logPositive: positive))
                continue
            }
            PairSums.logarithms(
                scratch, kernel, squaredTemperature: similarity.squaredTemperature, count: count)
            let positive = meanOfPositives(of: row) { Double(scratch[$0]) }
            scratch[row] = -.infinity
            let shift = PairSums.largest(scratch, count: count)
            PairSums.exponentials(scratch, shift: shift, count: count)
            let logarithm = Double(shift) + Elementary.log(PairSums.sum(scratch, count: count))
            body(row, PairSum(logarithm: logarithm, scale: Float(logarithm), logPositive: positive))
        }
    }

    private func meanOfPositives(of row: Int, _ value: (Int) -> Double) -> Double {
        var sum = 0.0
        for i in 0..<positives.number { sum += value(positives.row(i, of: row)) }
        return sum / Double(positives.number)
    }

    func forEachGradient(
        _ rows: Range<Int>, scales: UnsafePointer<Float>, into gradient: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>, _ body: (_ row: Int, _ byTemperature: Double) -> Void
    ) {
        // Each pair counts from both of its ends; the positive once from each.
        let scale = 2 * similarity.squaredTemperature / Float(count)
        let share = 2 / Float(positives.number)
        let own = scratch + stride
        for row in rows {
            fill(row, scratch)
            for i in 0..<positives.number {
                own[i] = similarity.slope(scratch[positives.row(i, of: row)])
            }
            similarity.weigh(scratch, scale: scales[row], scales: scales, count: count)
            scratch[row] = 0
            for i in 0..<positives.number { scratch[positives.row(i, of: row)] -= share * own[i] }
            // The loss depends on T y: T ∂loss/∂T is Σ y · ∂loss/∂y, about any origin.
            var byTemperature = 0.0
            for d in 0..<dimension {
                let axis = coordinates.pointer + d * stride
                let value =
                    scale * PairSums.weightedDifference(scratch, axis, centre: axis[row], count: count)
                gradient[row * dimension + d] = value
                byTemperature += Double(axis[row] - axis[0]) * Double(value)
            }
            body(row, byTemperature)
        }
    }
}
