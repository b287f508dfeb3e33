/// Layers whose result is added to what they were given, or to what a shortcut makes of it.
///
/// With stochastic depth (Huang et al., ECCV 2016) the layers' result is left out of a row with probability
/// `drop` in training, and divided by 1 - `drop` where it is not.
public final class Residual: Layer {
    private let body: Chain
    private let shortcut: Chain?
    private let drop: Float
    /// What is added, of the forward pass written last.
    private var ends: (body: Tensor, side: Tensor?)?
    /// This layer's place among the layers that leave something to chance.
    private var place = 0

    public var parameters: [Parameter] { body.parameters + (shortcut?.parameters ?? []) }
    public var normalizations: [BatchNormalization] {
        body.normalizations + (shortcut?.normalizations ?? [])
    }

    /// - Parameters:
    ///   - body: layers that keep the shape, unless there is a shortcut that changes it in the same way.
    ///   - shortcut: layers beside the body; nil for the input itself.
    ///   - drop: the probability, in 0..<1, that the result is left out.
    public init(_ body: Chain, shortcut: Chain? = nil, drop: Float = 0) {
        self.body = body
        self.shortcut = shortcut
        self.drop = drop
    }

    public func initialize(_ random: inout RandomNumbers) {
        body.initialize(&random)
        shortcut?.initialize(&random)
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        place = pass.chanceCount
        if drop > 0 { pass.chanceCount += 1 }
        // Where nothing is kept, layers work in place.
        let kept = pass.keepsInputs ? input : copy(of: input, pass)
        let inner = body.forward(input, pass)
        let side = shortcut?.forward(kept, pass)
        // A layer may want its own result again.
        let output = pass.keepsInputs ? pass.workspace.tensor(inner.shape) : inner
        let (other, factor) = (side ?? kept, factor(pass))
        let count = output.count / max(1, output.shape.images)
        pass.program.add("sum", slices: output.shape.images) { row, _ in
            let scale = factor(row)
            let first = row * count
            for i in first..<first + count {
                output.pointer[i] = scale * inner.pointer[i] + other.pointer[i]
            }
        }
        if !pass.keepsInputs {
            if let side, side.pointer != kept.pointer { pass.workspace.release(side) }
            pass.workspace.release(kept)
        }
        ends = (inner, side)
        return output
    }

    /// What a row's result is multiplied by.
    private func factor(_ pass: Pass) -> (_ row: Int) -> Float {
        guard drop > 0, pass.usesBatchStatistics, let chance = pass.chance else { return { _ in 1 } }
        return { [drop, place] row in chance(row, place) < Double(drop) ? 0 : 1 / (1 - drop) }
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let (inner, side) = ends!
        // The shortcut reads the gradient as it is.
        let (ofBody, factor) = (pass.workspace.tensor(gradient.shape), factor(pass))
        let count = gradient.count / max(1, gradient.shape.images)
        pass.program.add("share of the gradient", slices: gradient.shape.images) { row, _ in
            let scale = factor(row)
            for i in row * count..<(row + 1) * count { ofBody.pointer[i] = scale * gradient.pointer[i] }
        }
        let result = body.backward(ofBody, pass, wantsInputGradient: true)!
        pass.workspace.release(inner)
        var other = gradient
        if let shortcut {
            other = shortcut.backward(gradient, pass, wantsInputGradient: true)!
            pass.workspace.release(side!)
        }
        addUp(other, onto: result, pass)
        pass.workspace.release(other)
        return result
    }
}

private let block = 16384

/// Appends target += source.
func addUp(_ source: Tensor, onto target: Tensor, _ pass: Pass) {
    pass.program.add("sum", slices: (target.count + block - 1) / block) { slice, _ in
        let (from, to) = (source.pointer, target.pointer)
        for i in slice * block..<min(target.count, (slice + 1) * block) { to[i] += from[i] }
    }
}

/// Appends a copy.
func copy(of source: Tensor, _ pass: Pass) -> Tensor {
    let result = pass.workspace.tensor(source.shape)
    pass.program.add("copy", slices: (source.count + block - 1) / block) { slice, _ in
        let first = slice * block
        let count = min(source.count - first, block)
        (result.pointer + first).update(from: source.pointer + first, count: count)
    }
    return result
}
