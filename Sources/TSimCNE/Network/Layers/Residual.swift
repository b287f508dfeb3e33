/// Layers whose result is added to what they were given.
public final class Residual: Layer {
    private let body: any Layer

    public var parameters: [Parameter] { body.parameters }

    public init(_ body: any Layer) { self.body = body }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        // Where nothing is kept, layers work in place.
        let kept = pass.keepsInputs ? input : copy(of: input, pass)
        let output = body.forward(input, pass)
        addUp(kept, onto: output, pass)
        if !pass.keepsInputs { pass.workspace.release(kept) }
        return output
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let kept = copy(of: gradient, pass)
        let result = body.backward(gradient, pass, wantsInputGradient: true)!
        addUp(kept, onto: result, pass)
        pass.workspace.release(kept)
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
