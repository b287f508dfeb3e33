/// Batch normalisation over all positions of a channel, with the function that may follow it.
///
/// y = γ (x - mean) / √(variance + ε) + β. The batch's variance is biased; the running one unbiased.
/// It makes few passes over memory of its own: the convolutions before and after it sum and apply while
/// they write and read. The gradient is derived in docs/derivations/batch-normalization.md.
public final class BatchNormalization {
    let epsilon: Float
    /// Weight of the newest batch in the running statistics.
    let momentum: Float

    public let name: String
    public let weight: Parameter
    public let bias: Parameter
    public let runningMean: AlignedBuffer
    public let runningVariance: AlignedBuffer
    public let channels: Int
    /// What follows each normalised value.
    let function: NonlinearityKernel.Function?

    /// [Σ x, Σ x², count], then in the backward pass [Σ dy, Σ dy x̂, count].
    public let sums: UnsafeMutablePointer<Double>
    public var sumCount: Int { 2 * channels + 1 }

    // What follows is per channel, of the batch that runs.
    private let mean: AlignedBuffer
    private let variance: AlignedBuffer
    private let inverseDeviation: AlignedBuffer
    private let scale: AlignedBuffer
    private let shift: AlignedBuffer
    /// Coefficients of the input's gradient: a, b and c.
    private let coefficients: AlignedBuffer
    private var batchCount = 0.0
    /// The count of positions before sums were exchanged with other trainers.
    private var ownCount = 0.0

    public var parameters: [Parameter] { [weight, bias] }
    var runningStatistics: [(name: String, value: AlignedBuffer)] {
        [("\(name).running_mean", runningMean), ("\(name).running_var", runningVariance)]
    }

    public init(
        _ name: String, channels: Int, function: NonlinearityKernel.Function? = nil, epsilon: Float = 1e-5,
        momentum: Float = 0.1
    ) {
        self.name = name
        self.epsilon = epsilon
        self.momentum = momentum
        self.channels = channels
        self.function = function
        weight = Parameter("\(name).weight", shape: [channels])
        bias = Parameter("\(name).bias", shape: [channels])
        runningMean = AlignedBuffer(count: channels)
        runningVariance = AlignedBuffer(count: channels)
        mean = AlignedBuffer(count: channels)
        variance = AlignedBuffer(count: channels)
        inverseDeviation = AlignedBuffer(count: channels)
        scale = AlignedBuffer(count: channels)
        shift = AlignedBuffer(count: channels)
        coefficients = AlignedBuffer(count: 3 * channels)
        sums = .allocate(capacity: 2 * channels + 1)
        sums.initialize(repeating: 0, count: 2 * channels + 1)
        weight.fill(1)
        runningVariance.pointer.update(repeating: 1, count: channels)
    }

    deinit { sums.deallocate() }

    /// scale · x + shift, and the positive part.
    var activation: Activation { Activation(scale: scale.pointer, shift: shift.pointer) }

    // MARK: Forward

    /// Appends the same from a pass over what is given.
    func addStatistics(of input: Tensor, _ pass: Pass) {
        let (channels, positions) = (channels, input.shape.positions)
        let slices = BatchNormalizationKernel.slices(positions: positions, channels: channels)
        let memory = pass.workspace.tensor(
            Shape(rows: 1, columns: PartialSums.count(slices: slices, rows: 3, channels: channels)))
        let sums = PartialSums(memory.pointer, rows: 3, channels: channels)
        addLoop(pass, "statistics", positions: positions) { range, slice in
            BatchNormalizationKernel.statistics(
                range, channels: channels, input: input.pointer, sums: sums, slice: slice)
        }
        addStatistics(
            sums, slices: slices,
            positions: {
                BatchNormalizationKernel.positions(ofSlice: $0, count: positions, channels: channels).count
            }, pass)
        pass.workspace.release(memory)
    }

    /// Appends the batch's statistics and the coefficients from what slices of so many positions have summed.
    func addStatistics(
        _ partial: PartialSums, slices: Int, positions: @escaping (Int) -> Int, _ pass: Pass
    ) {
        pass.program.add("\(name) sums", slices: 1) { [self] _, _ in
            var count = 0
            for i in 0..<2 * channels { sums[i] = 0 }
            for slice in 0..<slices {
                let positions = positions(slice)
                count += positions
                for c in 0..<channels {
                    // The slice's sums are about a value of its own.
                    let origin = partial.value(slice: slice, row: 0, channel: c)
                    let sum = partial.value(slice: slice, row: 1, channel: c)
                    let squares = partial.value(slice: slice, row: 2, channel: c)
                    sums[c] += Double(positions) * origin + sum
                    sums[channels + c] += Double(positions) * origin * origin + 2 * origin * sum + squares
                }
            }
            ownCount = Double(count)
            sums[2 * channels] = ownCount
        }
        pass.program.mark(.batchNormalizationSums(name: name))
        pass.program.add("\(name) coefficients", slices: 1) { [self] _, _ in
            batchCount = sums[2 * channels]
            for c in 0..<channels {
                let average = sums[c] / batchCount
                let spread = max(0, sums[channels + c] / batchCount - average * average)
                mean.pointer[c] = Float(average)
                variance.pointer[c] = Float(spread)
            }
            setCoefficients(mean: mean.pointer, variance: variance.pointer)
        }
    }

    /// Appends the coefficients from the running statistics; they are what a convolution applies, and the
    /// rectifier with them. Another function is left to do.
    func addRunningCoefficients(residual: Tensor?, _ pass: Pass) -> AffineWriter {
        pass.program.add("\(name) coefficients", slices: 1) { [self] _, _ in
            setCoefficients(mean: runningMean.pointer, variance: runningVariance.pointer)
        }
        return AffineWriter(
            scale: scale.pointer, shift: shift.pointer,
            residual: residual.map { UnsafePointer($0.pointer) }, rectifies: function == .relu)
    }

    /// What is added to the normalised values before the function.
    enum Residual {
        case stored(Tensor)
        /// Another normalisation's input, of which that one's output is added.
        case normalized(Tensor, BatchNormalization)
    }

    /// Appends the function of the normalised input, with a residual where there is one.
    func addOutput(of input: Tensor, residual: Residual?, into output: Tensor, _ pass: Pass) {
        let other: BatchNormalizationKernel.Residual?
        switch residual {
        case nil: other = nil
        case .stored(let tensor): other = .init(tensor, scale: nil, shift: nil)
        case .normalized(let tensor, let normalization):
            other = .init(
                tensor, scale: normalization.scale.pointer, shift: normalization.shift.pointer)
        }
        addLoop(pass, "normalize", positions: input.shape.positions) { [self] range, _ in
            normalize(range, of: input, residual: other, into: output.pointer)
        }
    }

    /// Writes the function of normalised positions, by the coefficients that there are.
    func normalize(
        _ range: Range<Int>, of input: Tensor, residual: BatchNormalizationKernel.Residual? = nil,
        into output: UnsafeMutablePointer<Float>
    ) {
        BatchNormalizationKernel.normalize(
            range, input: input, scale: scale.pointer, shift: shift.pointer, residual: residual,
            function: function, output: output)
    }

    private func setCoefficients(mean: UnsafePointer<Float>, variance: UnsafePointer<Float>) {
        for c in 0..<channels {
            let s = 1 / (variance[c] + epsilon).squareRoot()
            inverseDeviation.pointer[c] = s
            scale.pointer[c] = weight.value.pointer[c] * s
            shift.pointer[c] = bias.value.pointer[c] - mean[c] * scale.pointer[c]
        }
    }

    // MARK: Backward

    /// Lets the operation that makes the gradient with respect to the output, in `slices` slices, sum what
    /// ``addGradientSums(_:slices:_:)`` wants.
    func gradientSums(of input: Tensor, slices: Int, _ pass: Pass) -> (RectifierGradient, memory: Tensor) {
        let memory = pass.workspace.tensor(
            Shape(rows: 1, columns: PartialSums.count(slices: slices, rows: 2, channels: channels)))
        let sums = PartialSums(memory.pointer, rows: 2, channels: channels)
        return (RectifierGradient(input: input, mean: mean.pointer, sums: sums), memory)
    }

    /// Appends the same sums as a pass of its own, which takes the gradient through the function, in place.
    ///
    /// - Parameter output: the rectifier's output, where a residual was added before.
    func addMaskedSums(gradient: Tensor, input: Tensor, output: Tensor? = nil, _ pass: Pass) {
        let slices = BatchNormalizationKernel.slices(positions: input.shape.positions, channels: channels)
        let (rectifier, memory) = gradientSums(of: input, slices: slices, pass)
        let mask = output.map { .rectified($0.pointer) } ?? functionMask
        addLoop(pass, "gradient mask", positions: input.shape.positions) { range, slice in
            BatchNormalizationKernel.maskedSums(
                range, rectifier: rectifier, slice: slice, mask: mask, gradient: gradient.pointer)
        }
        addGradientSums(memory, slices: slices, pass)
    }

    /// What lies between the normalised values and those after the function.
    var functionMask: BatchNormalizationKernel.Mask {
        .function(function, scale: scale.pointer, shift: shift.pointer)
    }

    /// Appends the parameters' gradients, and the coefficients of the input's, from the sums of slices,
    /// and releases them.
    func addGradientSums(_ memory: Tensor, slices: Int, _ pass: Pass) {
        let partial = PartialSums(memory.pointer, rows: 2, channels: channels)
        pass.program.add("\(name) gradient sums", slices: 1) { [self] _, _ in
            for i in 0..<2 * channels { sums[i] = 0 }
            for slice in 0..<slices {
                for c in 0..<channels {
                    sums[c] += partial.value(slice: slice, row: 0, channel: c)
                    sums[channels + c] += partial.value(slice: slice, row: 1, channel: c)
                }
            }
            sums[2 * channels] = ownCount
            for c in 0..<channels {
                sums[channels + c] *= Double(inverseDeviation.pointer[c])
                bias.gradient.pointer[c] = Float(sums[c])
                weight.gradient.pointer[c] = Float(sums[channels + c])
            }
        }
        pass.workspace.release(memory)
        pass.program.mark(.gradient(name: weight.name))
        pass.program.mark(.gradient(name: bias.name))
        pass.program.mark(.batchNormalizationSums(name: name))
        pass.program.add("\(name) gradient coefficients", slices: 1) { [self] _, _ in
            let count = sums[2 * channels]
            for c in 0..<channels {
                let s = Double(inverseDeviation.pointer[c])
                let slope = Double(weight.value.pointer[c]) * s
                coefficients.pointer[c] = Float(slope)
                coefficients.pointer[channels + c] = Float(-slope * s * sums[channels + c] / count)
                coefficients.pointer[2 * channels + c] = Float(-slope * sums[c] / count)
            }
        }
    }

    /// The gradient with respect to the input, for an operation to read, from the (masked) one with
    /// respect to the output.
    func inputGradient(_ gradient: Tensor, input: Tensor) -> NormalizedGradient {
        NormalizedGradient(
            gradient: gradient, input: input, mean: mean.pointer, coefficients: coefficients.pointer)
    }

    /// Whether the batch's statistics are finite.
    var isFinite: Bool {
        (0..<channels).allSatisfy { mean.pointer[$0].isFinite && variance.pointer[$0] < 1e30 }
    }

    /// Moves the running statistics; only when a step is complete, so that an abandoned one leaves none.
    public func updateRunningStatistics() {
        let unbiased = batchCount > 1 ? Float(batchCount / (batchCount - 1)) : 1
        for c in 0..<channels {
            runningMean.pointer[c] += momentum * (mean.pointer[c] - runningMean.pointer[c])
            runningVariance.pointer[c] +=
                momentum * (variance.pointer[c] * unbiased - runningVariance.pointer[c])
        }
    }

    private func addLoop(
        _ pass: Pass, _ what: String, positions: Int,
        _ body: @escaping (_ range: Range<Int>, _ slice: Int) -> Void
    ) {
        let channels = channels
        let slices = BatchNormalizationKernel.slices(positions: positions, channels: channels)
        pass.program.add("\(name) \(what)", slices: slices) { slice, _ in
            body(
                BatchNormalizationKernel.positions(ofSlice: slice, count: positions, channels: channels),
                slice)
        }
    }
}
