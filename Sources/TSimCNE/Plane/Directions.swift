import TSimCNEKernels

/// The directions in which rows vary most, by orthogonal iteration: directions are multiplied by the covariance of
/// the rows, which is never made, and orthonormalised, again and again.
///
/// Work is in slices that depend on shapes alone: the same bits on any number of threads.
public final class Directions {
    /// Rows, or columns, of a slice of a product.
    private static let block = 64
    /// Directions that are made orthogonal to those before them at a time.
    private static let panel = 32

    private let count: Int
    private let dimension: Int
    private let wanted: Int
    /// Rows less their mean (count × dimension).
    private let centred: AlignedBuffer
    /// Directions (wanted × dimension), one after the other.
    private let basis: AlignedBuffer
    /// Places of the rows along them (count × wanted).
    private let places: AlignedBuffer
    private let packed: AlignedBuffer
    /// How much of each direction of a panel lies along each one before it, and what their products want.
    private let along: AlignedBuffer
    private let scratch: AlignedBuffer
    public let mean: [Double]

    /// - Parameters:
    ///   - rows: count × dimension.
    ///   - count: their number.
    ///   - dimension: numbers of a row.
    ///   - wanted: at most count and dimension.
    public init(rows: UnsafePointer<Float>, count: Int, dimension: Int, wanted: Int) {
        self.count = count
        self.dimension = dimension
        self.wanted = wanted
        centred = AlignedBuffer(count: count * dimension)
        basis = AlignedBuffer(count: wanted * dimension)
        places = AlignedBuffer(count: count * wanted)
        packed = AlignedBuffer(count: gemmScratchCount(n: wanted, k: dimension))
        along = AlignedBuffer(count: Directions.panel * wanted)
        scratch = AlignedBuffer(
            count: max(gemmScratchCount(n: wanted, k: dimension), gemmScratchCount(n: dimension, k: wanted)))
        var mean = [Double](repeating: 0, count: dimension)
        for r in 0..<count {
            for d in 0..<dimension { mean[d] += Double(rows[r * dimension + d]) }
        }
        mean = mean.map { $0 / Double(count) }
        for r in 0..<count {
            for d in 0..<dimension {
                centred.pointer[r * dimension + d] = Float(Double(rows[r * dimension + d]) - mean[d])
            }
        }
        self.mean = mean
        var random = RandomNumbers(seed: 0, purpose: .outputLayer)
        for i in 0..<wanted * dimension { basis.pointer[i] = Float(random.normal()) }
        orthonormalize()
    }

    /// Bytes that it takes.
    public static func bytes(count: Int, dimension: Int, wanted: Int, threads: Int) -> Int {
        4
            * (count * (dimension + wanted) + wanted * (4 * dimension + 96) + 64 * (dimension + wanted)
                + threads * count * block)
    }

    /// Iterates, then writes the directions (wanted × dimension), that of largest deviation first; one that lies in
    /// those before it is zero.
    ///
    /// - Parameters:
    ///   - iterations: how often the rows are gone through.
    ///   - directions: where they are written.
    ///   - deviations: of the rows along each.
    ///   - pool: threads that work.
    public func find(
        iterations: Int, into directions: UnsafeMutablePointer<Float>,
        deviations: UnsafeMutablePointer<Float>, on pool: ThreadPool
    ) {
        let program = Program()
        write(into: program)
        for _ in 0..<iterations { program.run(on: pool) }
        var squares = [Double](repeating: 0, count: wanted)
        // The places are those of the basis before its last turn; made anew they are those of the last.
        let last = Program()
        writePlaces(into: last)
        last.run(on: pool)
        for r in 0..<count {
            for k in 0..<wanted {
                let value = Double(places.pointer[r * wanted + k])
                squares[k] += value * value
            }
        }
        let order = (0..<wanted).sorted { (-squares[$0], $0) < (-squares[$1], $1) }
        for (k, from) in order.enumerated() {
            (directions + k * dimension).update(from: basis.pointer + from * dimension, count: dimension)
            deviations[k] = Float((squares[from] / Double(count)).squareRoot())
        }
    }

    private func write(into program: Program) {
        writePlaces(into: program)
        let (width, scratch) = (Directions.block, gemmScratchCount(n: Directions.block, k: count))
        let slices = (dimension + width - 1) / width
        program.add("directions: turn", slices: slices, scratch: scratch) { [unowned self] slice, scratch in
            let first = slice * width
            gemm(
                m: wanted, n: min(width, dimension - first), k: count, a: places.pointer, rowStrideA: 1,
                columnStrideA: wanted, b: centred.pointer + first, rowStrideB: dimension, columnStrideB: 1,
                c: basis.pointer + first, rowStrideC: dimension, accumulate: false, scratch: scratch)
        }
        program.add("directions: orthonormalize", slices: 1) { [unowned self] _, _ in orthonormalize() }
    }

    private func writePlaces(into program: Program) {
        program.add("directions: pack", slices: 1) { [unowned self] _, _ in
            packMatrix(
                rows: dimension, columns: wanted, source: basis.pointer, rowStride: 1,
                columnStride: dimension, into: packed.pointer)
        }
        let slices = (count + Directions.block - 1) / Directions.block
        program.add("directions: places", slices: slices) { [unowned self] slice, _ in
            let first = slice * Directions.block
            multiplyPackedMatrix(
                m: min(Directions.block, count - first), n: wanted, k: dimension,
                a: centred.pointer + first * dimension, rowStrideA: dimension, packed: packed.pointer,
                c: places.pointer + first * wanted, rowStrideC: wanted, accumulate: false)
        }
    }

    /// Gram and Schmidt's method, twice for each direction, which is enough (Kahan): what lies in directions before
    /// those of a panel is taken from the whole panel at once, as two products.
    private func orthonormalize() {
        for first in stride(from: 0, to: wanted, by: Directions.panel) {
            let vectors = first..<min(wanted, first + Directions.panel)
            let lengths = vectors.map { length(of: $0) }
            for _ in 0..<2 { takeFrom(vectors, whatLiesInFirst: first) }
            for k in vectors {
                let vector = basis.pointer + k * dimension
                for _ in 0..<2 {
                    for l in first..<k {
                        let other = basis.pointer + l * dimension
                        let along = dot(other, vector, count: dimension)
                        add(other, times: -along, to: vector, count: dimension)
                    }
                }
                let left = length(of: k)
                let isNew = left > 1e-5 * lengths[k - first] && left.isFinite
                scale(vector, by: isNew ? 1 / left : 0, count: dimension)
            }
        }
    }

    private func length(of k: Int) -> Float {
        let vector = basis.pointer + k * dimension
        return dot(vector, vector, count: dimension).squareRoot()
    }

    /// Takes from directions what they share with the first ones, which are orthonormal or zero.
    private func takeFrom(_ vectors: Range<Int>, whatLiesInFirst known: Int) {
        guard known > 0 else { return }
        let panel = basis.pointer + vectors.lowerBound * dimension
        gemm(
            m: vectors.count, n: known, k: dimension, a: panel, rowStrideA: dimension, columnStrideA: 1,
            b: basis.pointer, rowStrideB: 1, columnStrideB: dimension,
            c: along.pointer, rowStrideC: known, accumulate: false, scratch: scratch.pointer)
        scale(along.pointer, by: -1, count: vectors.count * known)
        gemm(
            m: vectors.count, n: dimension, k: known, a: along.pointer, rowStrideA: known, columnStrideA: 1,
            b: basis.pointer, rowStrideB: dimension, columnStrideB: 1,
            c: panel, rowStrideC: dimension, accumulate: true, scratch: scratch.pointer)
    }
}
