/// Fully connected layer: y = x Wᵀ + b, W of shape (out, in).
public final class Linear: Layer {
    public let weight: Parameter
    public let bias: Parameter
    public let inputs: Int
    public let outputs: Int
    private var input: Tensor?

    public var parameters: [Parameter] { [weight, bias] }

    public init(_ name: String, inputs: Int, outputs: Int, isOutput: Bool = false) {
        self.inputs = inputs
        self.outputs = outputs
        weight = Parameter("\(name).weight", shape: [outputs, inputs], isOutput: isOutput)
        bias = Parameter("\(name).bias", shape: [outputs], isOutput: isOutput)
    }

    /// Draws weight and bias from U(±1/√inputs), which is PyTorch's default.
    public func initialize(_ random: inout RandomNumbers) {
        let bound = 1 / Float(inputs).squareRoot()
        weight.fillUniform(bound: bound, &random)
        bias.fillUniform(bound: bound, &random)
    }

    /// Draws weights as He et al. (2015) do for a layer before a rectifier: the signal keeps its size.
    /// PyTorch's default, above, loses three fifths of it in each such layer.
    func initializeForRectifier(_ random: inout RandomNumbers) {
        weight.fillUniform(bound: (6 / Float(inputs)).squareRoot(), &random)
        bias.fill(0)
    }

    /// Rows that a slice works on.
    private static let block = 64

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        self.input = input
        let (inputs, outputs, rows) = (inputs, outputs, input.shape.images)
        let output = pass.workspace.tensor(Shape(rows: rows, columns: outputs))
        let (weight, bias) = (weight.value, bias.value)
        // A map's bits must not depend on the batch: inference keeps to the own, fixed-order GEMM.
        let training = pass.usesBatchStatistics
        pass.program.add(
            "\(self.weight.name) forward", slices: slices(rows),
            scratch: gemmScratchCount(n: outputs, k: inputs)
        ) { slice, scratch in
            let first = slice * Linear.block
            let count = min(Linear.block, rows - first)
            let target = output.pointer + first * outputs
            for r in 0..<count { (target + r * outputs).update(from: bias.pointer, count: outputs) }
            let source = input.pointer + first * inputs
            if training {
                DenseAlgebra.multiply(
                    m: count, n: outputs, k: inputs, a: source, lda: inputs, b: weight.pointer, ldb: inputs,
                    transposeB: true, c: target, ldc: outputs, accumulate: true, scratch: scratch)
            } else {
                gemm(
                    m: count, n: outputs, k: inputs, a: source, rowStrideA: inputs, columnStrideA: 1,
                    b: weight.pointer, rowStrideB: 1, columnStrideB: inputs, c: target,
                    rowStrideC: outputs, accumulate: true, scratch: scratch)
            }
        }
        return output
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let (input, inputs, outputs) = (input!, inputs, outputs)
        let rows = gradient.shape.images
        let (weight, bias) = (weight, bias)
        // Slices own rows of the weight: each sums over the whole batch.
        pass.program.add(
            "\(weight.name) gradient", slices: slices(outputs),
            scratch: DenseAlgebra.scratchCount(n: inputs, k: rows)
        ) { slice, scratch in
            let first = slice * Linear.block
            let count = min(Linear.block, outputs - first)
            DenseAlgebra.multiply(
                m: count, n: inputs, k: rows, a: gradient.pointer + first, lda: outputs, transposeA: true,
                b: input.pointer, ldb: inputs, c: weight.gradient.pointer + first * inputs, ldc: inputs,
                scratch: scratch)
            for k in first..<first + count {
                var total = 0.0
                for r in 0..<rows { total += Double(gradient.pointer[r * outputs + k]) }
                bias.gradient.pointer[k] = Float(total)
            }
        }
        pass.program.mark(.gradient(name: weight.name))
        pass.program.mark(.gradient(name: bias.name))
        defer { pass.workspace.release(gradient) }
        guard wantsInputGradient else { return nil }
        let inputGradient = pass.workspace.tensor(input.shape)
        pass.program.add(
            "\(weight.name) data gradient", slices: slices(rows),
            scratch: DenseAlgebra.scratchCount(n: inputs, k: outputs)
        ) { slice, scratch in
            let first = slice * Linear.block
            let count = min(Linear.block, rows - first)
            DenseAlgebra.multiply(
                m: count, n: inputs, k: outputs, a: gradient.pointer + first * outputs, lda: outputs,
                b: weight.value.pointer, ldb: inputs, c: inputGradient.pointer + first * inputs, ldc: inputs,
                scratch: scratch)
        }
        return inputGradient
    }

    private func slices(_ rows: Int) -> Int { (rows + Linear.block - 1) / Linear.block }
}
