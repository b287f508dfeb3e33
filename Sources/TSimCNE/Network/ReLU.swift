/// The positive part, in place.
public final class ReLU: Layer {
    private var output: Tensor?

    public init() {}

    private static let block = 16384

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        output = input
        loop("relu", input.count, pass) { range in
            // NaN stays NaN. A choice of two values, not a branch, becomes a loop of vectors.
            let values = input.pointer
            for i in range { values[i] = values[i] < 0 ? 0 : values[i] }
        }
        return input
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let output = output!
        loop("relu gradient", gradient.count, pass) { range in
            let (outputs, gradients) = (output.pointer, gradient.pointer)
            for i in range { gradients[i] = outputs[i] <= 0 ? 0 : gradients[i] }
        }
        return gradient
    }

    private func loop(_ name: String, _ count: Int, _ pass: Pass, _ body: @escaping (Range<Int>) -> Void) {
        pass.program.add(name, slices: (count + ReLU.block - 1) / ReLU.block) { slice, _ in
            body(slice * ReLU.block..<min(count, (slice + 1) * ReLU.block))
        }
    }
}
