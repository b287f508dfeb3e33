import TSimCNEKernels

/// Cauchy similarities in few dimensions: distances are taken from differences, axis by axis, and keep
/// their precision at any distance from the origin.
final class PairsByDifference: Pairs {
    /// Beyond it inner products are faster.
    static let highestDimension = 8

    let block = 32
    private let count: Int
    private let dimension: Int
    private let temperature: Float
    private let positives: Positives
    private let embeddings: Tensor
    /// Axis by axis.
    private let coordinates: Tensor
    private let stride: Int

    init(_ embeddings: Tensor, _ positives: Positives, temperature: Float, _ workspace: Workspace) {
        self.embeddings = embeddings
        self.positives = positives
        self.temperature = temperature
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

    /// The similarities of `row` to all.
    private func fill(_ row: Int, _ values: UnsafeMutablePointer<Float>) {
        PairSums.squaredDistances(
            of: row, count: count, dimension: dimension, coordinates: coordinates.pointer, stride: stride,
            into: values)
        PairSums.cauchy(values, squaredTemperature: temperature * temperature, count: count)
    }

    func forEachSum(
        _ rows: Range<Int>, _ scratch: UnsafeMutablePointer<Float>,
        _ body: (_ row: Int, _ sum: Double, _ logPositive: Double) -> Void
    ) {
        for row in rows {
            fill(row, scratch)
            var logarithms = 0.0
            for i in 0..<positives.number {
                logarithms += Elementary.log(Double(scratch[positives.row(i, of: row)]))
            }
            scratch[row] = 0
            body(row, PairSums.sum(scratch, count: count), logarithms / Double(positives.number))
        }
    }

    func writeGradient(
        _ rows: Range<Int>, inverseSums: UnsafePointer<Float>, into gradient: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        // Each pair counts from both of its ends; the positive once from each.
        let scale = 2 * temperature * temperature / Float(count)
        let share = 2 / Float(positives.number)
        let own = scratch + stride
        for row in rows {
            fill(row, scratch)
            for i in 0..<positives.number { own[i] = scratch[positives.row(i, of: row)] }
            PairSums.weigh(
                scratch, squares: true, inverse: inverseSums[row], inverses: inverseSums, count: count)
            scratch[row] = 0
            for i in 0..<positives.number { scratch[positives.row(i, of: row)] -= share * own[i] }
            for d in 0..<dimension {
                let axis = coordinates.pointer + d * stride
                gradient[row * dimension + d] =
                    scale * PairSums.weightedDifference(scratch, axis, centre: axis[row], count: count)
            }
        }
    }
}
