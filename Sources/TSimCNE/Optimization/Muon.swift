/// Momentum whose directions count alike (Muon: Jordan et al. 2024): a matrix of weights moves along the velocity
/// with its singular values brought near to 1, so that what few images ask for is learnt as soon as what all do.
///
/// Kernels are matrices of (kernel row, kernel column, in) × out. The rate is the tangent of the angle by which
/// weights turn: a step is in proportion to their length, as with ``LARS``, which it leaves as it is; so they do not
/// decay. Wide matrices are worked on in blocks of columns, which costs a fraction of the arithmetic. Biases,
/// BatchNorm and the output layer move as with Nesterov's ``SGD``.
public struct Muon: Optimizer {
    /// Columns of a block at most.
    public static let widest = 128

    public var momentum: Float
    public var rules: GradientRules
    private var others: SGD { SGD(momentum: momentum, isNesterov: true, rules: rules) }

    public init(momentum: Float, rules: GradientRules) {
        self.momentum = momentum
        self.rules = rules
    }

    /// Columns of a matrix, or values of what is none.
    public func parts(of parameter: Parameter) -> [Range<Int>] {
        guard let (rows, columns) = parameter.matrix else { return others.parts(of: parameter) }
        let count = rows > Muon.widest ? (columns + Muon.widest - 1) / Muon.widest : 1
        return (0..<count).map { columns * $0 / count..<columns * ($0 + 1) / count }
    }

    public func scratchCount(_ parameter: Parameter) -> Int {
        guard let (rows, _) = parameter.matrix else { return 0 }
        return parts(of: parameter).map { part in
            2 * rows * part.count + Orthogonalization(rows: rows, columns: part.count).scratchCount
        }.max()!
    }

    /// v = momentum · v + clip(g);  u = clip(g) + momentum · v;  O = u with singular values near 1;
    /// w = w - rate · ‖w‖ · O / ‖O‖, then brought back to its length.
    public func update(
        _ parameter: Parameter, part: Range<Int>, _ step: OptimizerStep, scratch: UnsafeMutablePointer<Float>
    ) {
        guard let (rows, width) = parameter.matrix else {
            return others.update(parameter, part: part, step, scratch: scratch)
        }
        let columns = part.count
        let count = rows * columns
        let (ahead, direction) = (scratch, scratch + count)
        let weights = Block(start: parameter.value.pointer + part.lowerBound, stride: width, columns, rows)
        let length = lookAhead(parameter, part, rows, width, into: ahead)
        // What is too small to have a length is no direction.
        guard length > 0 else { return }
        let inverse = 1 / length
        for i in 0..<count { ahead[i] = Float(inverse * Double(ahead[i])) }
        Orthogonalization(rows: rows, columns: columns).run(
            ahead, into: direction, scratch: direction + count)
        weights.turn(
            along: Block(start: direction, stride: columns, columns, rows), by: Double(step.learningRate))
    }

    /// Moves the velocity, and returns the length of what it will be one step on.
    private func lookAhead(
        _ parameter: Parameter, _ part: Range<Int>, _ rows: Int, _ width: Int,
        into ahead: UnsafeMutablePointer<Float>
    ) -> Double {
        var squares = 0.0
        for row in 0..<rows {
            let first = row * width + part.lowerBound
            let (g, v) = (parameter.gradient.pointer + first, parameter.momentum.pointer + first)
            let u = ahead + row * part.count
            for i in 0..<part.count {
                let gradient = rules.clipped(g[i])
                v[i] = momentum * v[i] + gradient
                u[i] = gradient + momentum * v[i]
            }
            squares += squaredLength(u, part.count)
        }
        return squares.squareRoot()
    }
}

extension Parameter {
    /// Rows and columns of what Muon moves as a matrix.
    fileprivate var matrix: (rows: Int, columns: Int)? {
        guard !isBias, !isOutput, let columns = shape.last, columns > 0 else { return nil }
        return (count / columns, columns)
    }
}

/// Columns of a row-major matrix.
private struct Block {
    let start: UnsafeMutablePointer<Float>
    let stride: Int
    let columns: Int
    let rows: Int

    init(start: UnsafeMutablePointer<Float>, stride: Int, _ columns: Int, _ rows: Int) {
        self.start = start
        self.stride = stride
        self.columns = columns
        self.rows = rows
    }

    var length: Double {
        (0..<rows).reduce(0) { $0 + squaredLength(start + $1 * stride, columns) }.squareRoot()
    }

    /// Takes `rate` of its length off along a direction, and keeps its length; a block of zeros takes that of 1.
    func turn(along direction: Block, by rate: Double) {
        let before = length
        let part = Float(rate * (before > 0 ? before : 1) / direction.length)
        for row in 0..<rows {
            let (w, o) = (start + row * stride, direction.start + row * direction.stride)
            for i in 0..<columns { w[i] -= part * o[i] }
        }
        guard before > 0 else { return }
        let kept = Float(before / length)
        for row in 0..<rows {
            let w = start + row * stride
            for i in 0..<columns { w[i] *= kept }
        }
    }
}

private func squaredLength(_ row: UnsafePointer<Float>, _ count: Int) -> Double {
    // Four sums do not wait for one another.
    var sums = SIMD4<Double>.zero
    var i = 0
    while i + 4 <= count {
        let values = SIMD4(Double(row[i]), Double(row[i + 1]), Double(row[i + 2]), Double(row[i + 3]))
        sums += values * values
        i += 4
    }
    while i < count {
        sums[i % 4] += Double(row[i]) * Double(row[i])
        i += 1
    }
    return sums.sum()
}
