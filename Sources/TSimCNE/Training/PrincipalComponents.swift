import TSimCNEKernels

/// The directions of largest variance of a layer's outputs, by orthogonal iteration on their covariance matrix,
/// and the layer that gives these outputs' places along them.
///
/// It writes its work into a program, in slices of less than a tenth of a second, so that it stops and goes on
/// like a step. Sums are in a fixed order: the same bits on any number of threads.
final class PrincipalComponents {
    private let rows: UnsafePointer<Float>
    private let count: Int
    private let dimension: Int
    private let wanted: Int
    private(set) var mean: [Double]
    /// The covariance matrix (dimension × dimension).
    private let covariance: UnsafeMutablePointer<Double>
    /// The basis (wanted × dimension), one direction after the other.
    private let basis: UnsafeMutablePointer<Double>
    /// What the covariance makes of the basis; then that, orthonormal.
    private let image: UnsafeMutablePointer<Double>
    /// Whether a direction of the image lies in those before it: the basis then stays as it is.
    private var isDependent = false
    private(set) var variances: [Double]
    private let layer: Linear
    /// The layer's weights along each direction (wanted × inputs).
    private let weights: UnsafeMutablePointer<Double>

    private static let iterations = 60
    /// Most multiplications of a slice, about.
    private static let work = 100_000_000

    /// - Parameters:
    ///   - rows: outputs that the layer gave (count × outputs); they are read when the program runs.
    ///   - wanted: the number of directions, at most that of outputs.
    init(rows: UnsafePointer<Float>, count: Int, of layer: Linear, components wanted: Int) {
        let dimension = layer.outputs
        self.layer = layer
        weights = .allocate(capacity: wanted * layer.inputs)
        weights.initialize(repeating: 0, count: wanted * layer.inputs)
        self.rows = rows
        self.count = count
        self.dimension = dimension
        self.wanted = wanted
        mean = [Double](repeating: 0, count: dimension)
        variances = [Double](repeating: 0, count: wanted)
        covariance = .allocate(capacity: dimension * dimension)
        covariance.initialize(repeating: 0, count: dimension * dimension)
        basis = .allocate(capacity: wanted * dimension)
        image = .allocate(capacity: wanted * dimension)
        image.initialize(repeating: 0, count: wanted * dimension)
        var random = RandomNumbers(seed: 0, purpose: .outputLayer)
        for i in 0..<(wanted * dimension) { (basis + i).initialize(to: random.normal()) }
    }

    deinit {
        covariance.deallocate()
        basis.deallocate()
        image.deallocate()
        weights.deallocate()
    }

    /// Bytes that it takes from the system.
    static func bytes(outputs: Int, inputs: Int, components: Int) -> Int {
        (outputs * outputs + components * (2 * outputs + inputs) + 2 * outputs) * MemoryLayout<Double>.stride
    }

    /// Appends the work to what makes the rows.
    func write(into program: Program) {
        program.keepAlive(self)
        program.add("principal components: mean", slices: 1) { [unowned self] _, _ in findMean() }
        program.add("principal components: covariance", slices: dimension) { [unowned self] row, _ in
            findCovariance(row)
        }
        for _ in 0..<PrincipalComponents.iterations {
            writeImage(into: program)
            writeOrthonormalization(of: image, into: program)
            program.add("principal components: turn", slices: 1) { [unowned self] _, _ in
                if !isDependent { basis.update(from: image, count: wanted * dimension) }
            }
        }
        writeImage(into: program)
        program.add("principal components: variances", slices: 1) { [unowned self] _, _ in findVariances() }
        program.add("principal components: layer", slices: wanted) { [unowned self] k, _ in
            let (direction, target) = (basis + k * dimension, weights + k * layer.inputs)
            target.update(repeating: 0, count: layer.inputs)
            for d in 0..<dimension {
                let (row, factor) = (layer.weight.value.pointer + d * layer.inputs, direction[d])
                for i in 0..<layer.inputs { target[i] += factor * Double(row[i]) }
            }
        }
    }

    /// Writes the layer that gives the places along the directions, about the rows' mean and scaled to a
    /// root-mean-square radius.
    func write(into target: Linear, radius: Float) {
        let spread = variances.reduce(0, +).squareRoot()
        let scale = Double(radius) / max(spread, 1e-6)
        for i in 0..<(wanted * layer.inputs) { target.weight.value.pointer[i] = Float(scale * weights[i]) }
        for k in 0..<wanted {
            var shift = 0.0
            for d in 0..<dimension {
                shift += basis[k * dimension + d] * (Double(layer.bias.value.pointer[d]) - mean[d])
            }
            target.bias.value.pointer[k] = Float(scale * shift)
        }
    }

    private func findMean() {
        mean = [Double](repeating: 0, count: dimension)
        for r in 0..<count {
            for c in 0..<dimension { mean[c] += Double(rows[r * dimension + c]) }
        }
        mean = mean.map { $0 / Double(count) }
    }

    private func findCovariance(_ i: Int) {
        let target = covariance + i * dimension
        target.update(repeating: 0, count: dimension)
        mean.withUnsafeBufferPointer { mean in
            for r in 0..<count {
                let row = rows + r * dimension
                let x = Double(row[i]) - mean[i]
                for j in 0..<dimension { target[j] += x * (Double(row[j]) - mean[j]) }
            }
        }
        for j in 0..<dimension { target[j] /= Double(count) }
    }

    private func writeImage(into program: Program) {
        program.add("principal components: image", slices: wanted) { [unowned self] k, _ in
            let (v, target) = (basis + k * dimension, image + k * dimension)
            target.update(repeating: 0, count: dimension)
            // The matrix is symmetric: its rows are its columns, and lie in memory as they are added.
            for j in 0..<dimension {
                let (column, factor) = (covariance + j * dimension, v[j])
                for i in 0..<dimension { target[i] += column[i] * factor }
            }
        }
    }

    /// Appends Gram and Schmidt's method, some directions at a time.
    private func writeOrthonormalization(
        of vectors: UnsafeMutablePointer<Double>, into program: Program
    ) {
        let chunk = max(1, PrincipalComponents.work / (wanted * dimension))
        for first in stride(from: 0, to: wanted, by: chunk) {
            let last = min(wanted, first + chunk)
            program.add("principal components: orthonormalize", slices: 1) { [unowned self] _, _ in
                if first == 0 { isDependent = false }
                for k in first..<last where !isDependent { orthonormalize(k, of: vectors) }
            }
        }
    }

    private func orthonormalize(_ k: Int, of vectors: UnsafeMutablePointer<Double>) {
        let v = vectors + k * dimension
        for l in 0..<k {
            let u = vectors + l * dimension
            var along = 0.0
            for d in 0..<dimension { along += u[d] * v[d] }
            for d in 0..<dimension { v[d] -= along * u[d] }
        }
        var square = 0.0
        for d in 0..<dimension { square += v[d] * v[d] }
        let norm = square.squareRoot()
        guard norm > 1e-30 else {
            isDependent = true
            return
        }
        for d in 0..<dimension { v[d] /= norm }
    }

    private func findVariances() {
        for k in 0..<wanted {
            var sum = 0.0
            for d in 0..<dimension { sum += basis[k * dimension + d] * image[k * dimension + d] }
            variances[k] = sum
        }
    }
}

extension ProjectionHead {
    /// Moves and scales the output layer so that `rows`, which it gave, have their mean at the origin and
    /// a root-mean-square radius of `radius`: what follows a loss that leaves both free.
    func scaleOutput(of rows: UnsafePointer<Float>, count: Int, radius: Float) {
        let (outputs, values) = (output.outputs, Double(count))
        var means = [Double](repeating: 0, count: outputs)
        var squares = 0.0
        for r in 0..<count {
            for d in 0..<outputs { means[d] += Double(rows[r * outputs + d]) / values }
        }
        for r in 0..<count {
            for d in 0..<outputs {
                let x = Double(rows[r * outputs + d]) - means[d]
                squares += x * x / values
            }
        }
        let scale = Double(radius) / max(squares.squareRoot(), 1e-6)
        let (weight, bias) = (output.weight.value.pointer, output.bias.value.pointer)
        for i in 0..<output.weight.count { weight[i] = Float(scale * Double(weight[i])) }
        for d in 0..<outputs { bias[d] = Float(scale * (Double(bias[d]) - means[d])) }
    }
}
