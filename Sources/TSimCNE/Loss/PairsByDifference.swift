/// Cauchy similarities in few dimensions: distances are taken from differences, axis by axis, and keep
/// their precision at any distance from the origin.
final class PairsByDifference: Pairs {
    /// Beyond it inner products are faster.
    static let highestDimension = 8

    let block = 32
    private let count: Int
    private let dimension: Int
    private let temperature: Float
    private let embeddings: Tensor
    /// Axis by axis.
    private let coordinates: Tensor
    private let stride: Int

    init(_ embeddings: Tensor, temperature: Float, _ workspace: Workspace) {
        self.embeddings = embeddings
        self.temperature = temperature
        count = embeddings.shape.images
        dimension = embeddings.shape.channels
        stride = (count + 15) / 16 * 16
        coordinates = workspace.tensor(Shape(rows: dimension, columns: stride))
    }

    func release(to workspace: Workspace) { workspace.release(coordinates) }

    var scratchCount: Int { stride }

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
        _ body: (_ row: Int, _ sum: Double, _ positive: Double) -> Void
    ) {
        for row in rows {
            fill(row, scratch)
            let positive = scratch[partner(of: row, count: count)]
            scratch[row] = 0
            body(row, PairSums.sum(scratch, count: count), Double(positive))
        }
    }

    func writeGradient(
        _ rows: Range<Int>, inverseSums: UnsafePointer<Float>, into gradient: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        // Each pair counts from both of its ends; the positive once from each.
        let scale = 2 * temperature * temperature / Float(count)
        for row in rows {
            fill(row, scratch)
            let other = partner(of: row, count: count)
            let positive = scratch[other]
            PairSums.weigh(
                scratch, squares: true, inverse: inverseSums[row], inverses: inverseSums, count: count)
            scratch[row] = 0
            scratch[other] -= 2 * positive
            for d in 0..<dimension {
                let axis = coordinates.pointer + d * stride
                gradient[row * dimension + d] =
                    scale * PairSums.weightedDifference(scratch, axis, centre: axis[row], count: count)
            }
        }
    }
}
