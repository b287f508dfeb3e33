import CLibrary

/// Optimisers as their papers say, in double precision; one for each parameter.
public struct OptimizerReference {
    public enum Method: Sendable, CaseIterable { case sgd, nesterov, adamW, lars, amsGrad, muon }

    public var method: Method
    public var momentum: Double
    public var secondMomentum = 0.999
    public var decay: Double
    public var clip: Double
    /// Whether the parameter has a rate of its own under LARS.
    public var adapts: Bool
    /// Columns of a matrix that Muon turns; 0 for what moves as with Nesterov's.
    public var columns = 0
    private var steps = 0
    private var velocity: [Double] = []
    private var squares: [Double] = []
    private var largest: [Double] = []

    public init(_ method: Method, momentum: Double, decay: Double, clip: Double, adapts: Bool) {
        self.method = method
        self.momentum = momentum
        self.decay = decay
        self.clip = clip
        self.adapts = adapts
    }

    /// How far a step moves the values.
    public mutating func move(_ w: [Double], _ gradient: [Double], rate: Double) -> [Double] {
        let g = gradient.map { max(-clip, min(clip, $0)) }
        steps += 1
        if steps == 1 {
            velocity = w.map { _ in 0 }
            squares = velocity
            largest = velocity
        }
        switch method {
        case .sgd: return descend(w, g, rate, scale: 1)
        case .nesterov: return nesterov(w, g, rate)
        case .lars: return descend(w, g, rate, scale: trustRatio(w, g))
        case .adamW: return adam(w, g, rate)
        case .muon: return columns > 0 ? turn(w, g, rate) : nesterov(w, g, rate)
        case .amsGrad: return adam(w, w.indices.map { g[$0] + decay * w[$0] }, rate)
        }
    }

    private mutating func nesterov(_ w: [Double], _ g: [Double], _ rate: Double) -> [Double] {
        _ = descend(w, g, rate, scale: 1)
        return w.indices.map { -rate * (g[$0] + decay * w[$0] + momentum * velocity[$0]) }
    }

    private mutating func descend(_ w: [Double], _ g: [Double], _ rate: Double, scale: Double) -> [Double] {
        let total = w.indices.map { scale * (g[$0] + decay * w[$0]) }
        velocity = w.indices.map { momentum * velocity[$0] + total[$0] }
        return velocity.map { -rate * $0 }
    }

    /// Jordan et al. (2024), the iteration as they write it, for blocks of at most 128 columns where there are more
    /// rows than that; a step is in proportion to a block's length, which it keeps.
    private mutating func turn(_ w: [Double], _ g: [Double], _ rate: Double) -> [Double] {
        velocity = w.indices.map { momentum * velocity[$0] + g[$0] }
        let rows = w.count / columns
        let blocks = rows > 128 ? (columns + 127) / 128 : 1
        var moved = w.map { _ in 0.0 }
        for block in 0..<blocks {
            let places = (0..<rows).map { row in
                (columns * block / blocks..<columns * (block + 1) / blocks).map { row * columns + $0 }
            }
            let ahead = places.map { $0.map { g[$0] + momentum * velocity[$0] } }
            let direction = OptimizerReference.orthogonal(ahead)
            func length(_ m: [[Double]]) -> Double { m.joined().reduce(0) { $0 + $1 * $1 }.squareRoot() }
            let before = length(places.map { $0.map { w[$0] } })
            let share = rate * before / length(direction)
            let after = zip(places, direction).map { places, row in
                zip(places, row).map { w[$0] - share * $1 }
            }
            let kept = before / length(after)
            for (places, row) in zip(places, after) {
                for (place, value) in zip(places, row) { moved[place] = kept * value - w[place] }
            }
        }
        return moved
    }

    /// X ← a X + (b A + c A²) X with A = X Xᵀ, five times, of the matrix or its transpose with fewer rows.
    public static func orthogonal(_ m: [[Double]]) -> [[Double]] {
        func transposed(_ m: [[Double]]) -> [[Double]] { m[0].indices.map { column in m.map { $0[column] } } }
        func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
            let columns = transposed(b)
            return a.map { row in columns.map { zip(row, $0).reduce(0) { $0 + $1.0 * $1.1 } } }
        }
        func sum(_ a: Double, _ x: [[Double]], _ b: Double, _ y: [[Double]]) -> [[Double]] {
            zip(x, y).map { zip($0, $1).map { a * $0 + b * $1 } }
        }
        let isTall = m.count > m[0].count
        var x = isTall ? transposed(m) : m
        let length = x.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
        x = x.map { $0.map { $0 / length } }
        for _ in 0..<5 {
            let a = product(x, transposed(x))
            x = sum(3.4445, x, 1, product(sum(-4.7750, a, 2.0315, product(a, a)), x))
        }
        return isTall ? transposed(x) : x
    }

    /// Equation 6 of You, Gitman and Ginsburg (2017).
    private func trustRatio(_ w: [Double], _ g: [Double]) -> Double {
        func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        guard adapts, norm(w) > 0, norm(g) > 0 else { return 1 }
        return 0.001 * norm(w) / (norm(g) + decay * norm(w))
    }

    /// Algorithm 2 of Loshchilov and Hutter (2019), with the decay in proportion to the rate; or Adam with the
    /// largest squares, as Reddi, Kale and Kumar (2018) have it but for the bias of the start.
    private mutating func adam(_ w: [Double], _ g: [Double], _ rate: Double) -> [Double] {
        velocity = w.indices.map { momentum * velocity[$0] + (1 - momentum) * g[$0] }
        squares = w.indices.map { secondMomentum * squares[$0] + (1 - secondMomentum) * g[$0] * g[$0] }
        largest = w.indices.map { max(largest[$0], squares[$0]) }
        return w.indices.map {
            let mean = velocity[$0] / (1 - pow(momentum, Double(steps)))
            let isLargest = method == .amsGrad
            let square = (isLargest ? largest : squares)[$0] / (1 - pow(secondMomentum, Double(steps)))
            return -rate * (mean / (square.squareRoot() + 1e-8) + (isLargest ? 0 : decay * w[$0]))
        }
    }
}
