/// Batch normalisation over all positions of a channel, with what usually follows it: a residual is
/// added and the positive part taken in the same pass.
///
/// y = γ (x - mean) / √(variance + ε) + β. The batch's variance is biased; the running one unbiased.
/// The gradient is derived in docs/derivations/batch-normalization.md.
public final class BatchNormalization: Layer {
    public static let epsilon: Float = 1e-5
    /// Weight of the newest batch in the running statistics.
    public static let momentum: Float = 0.1

    public let name: String
    public let weight: Parameter
    public let bias: Parameter
    public let runningMean: AlignedBuffer
    public let runningVariance: AlignedBuffer
    public let channels: Int
    private let rectifies: Bool

    /// [Σ x, Σ x², count], then in the backward pass [Σ dy, Σ dy x̂, count].
    public let sums: UnsafeMutablePointer<Double>
    public var sumCount: Int { 2 * channels + 1 }

    // Per channel, of the batch that runs.
    private let mean: AlignedBuffer
    private let variance: AlignedBuffer
    private let inverseDeviation: AlignedBuffer
    private let scale: AlignedBuffer
    private let shift: AlignedBuffer
    private var batchCount = 0.0

    private var input: Tensor?
    private var output: Tensor?

    public var parameters: [Parameter] { [weight, bias] }

    public init(_ name: String, channels: Int, rectifies: Bool) {
        self.name = name
        self.channels = channels
        self.rectifies = rectifies
        weight = Parameter("\(name).weight", shape: [channels])
        bias = Parameter("\(name).bias", shape: [channels])
        runningMean = AlignedBuffer(count: channels)
        runningVariance = AlignedBuffer(count: channels)
        mean = AlignedBuffer(count: channels)
        variance = AlignedBuffer(count: channels)
        inverseDeviation = AlignedBuffer(count: channels)
        scale = AlignedBuffer(count: channels)
        shift = AlignedBuffer(count: channels)
        sums = .allocate(capacity: 2 * channels + 1)
        sums.initialize(repeating: 0, count: 2 * channels + 1)
        weight.fill(1)
        runningVariance.pointer.update(repeating: 1, count: channels)
    }

    deinit { sums.deallocate() }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor { forward(input, residual: nil, pass) }

    /// Normalises, adds `residual` where there is one, rectifies.
    public func forward(_ input: Tensor, residual: Tensor?, _ pass: Pass) -> Tensor {
        addCoefficients(input, pass)
        let positions = input.shape.positions
        // Nothing reads the raw input again unless a backward pass follows.
        let output = pass.keepsInputs ? pass.workspace.tensor(input.shape) : input
        self.output = output
        addLoop(pass, "normalize", positions: positions) { [self] range in
            BatchNormalizationKernel.normalize(
                range, channels: channels, input: input.pointer, scale: scale.pointer, shift: shift.pointer,
                residual: residual.map { UnsafePointer($0.pointer) }, rectifies: rectifies,
                output: output.pointer)
        }
        return output
    }

    /// Prepares what a rectifying layer would do, for the next layer to do it as it reads the input.
    func activation(of input: Tensor, _ pass: Pass) -> Activation {
        precondition(rectifies)
        addCoefficients(input, pass)
        output = nil
        return Activation(scale: scale.pointer, shift: shift.pointer)
    }

    private func addCoefficients(_ input: Tensor, _ pass: Pass) {
        self.input = input
        let positions = input.shape.positions
        if pass.usesBatchStatistics {
            addSums(pass, positions: positions) { [self] range, target in
                BatchNormalizationKernel.sums(
                    range, channels: channels, input: input.pointer, into: target)
            }
            pass.program.mark(.batchNormalizationSums(name: name))
            pass.program.add("\(name) coefficients", slices: 1) { [self] _, _ in takeBatchStatistics() }
        } else {
            pass.program.add("\(name) coefficients", slices: 1) { [self] _, _ in takeRunningStatistics() }
        }
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        backward(gradient, hasResidual: false, pass).input
    }

    /// Gives back the memory of the input and of a rectified output.
    ///
    /// - Returns: the gradients with respect to the input and, where there is one, the residual.
    public func backward(
        _ gradient: Tensor, hasResidual: Bool, _ pass: Pass
    ) -> (input: Tensor, residual: Tensor?) {
        let (input, output) = (input!, output)
        let activation =
            rectifies && output == nil ? Activation(scale: scale.pointer, shift: shift.pointer) : nil
        let positions = input.shape.positions
        addSums(pass, positions: positions) { [self] range, target in
            BatchNormalizationKernel.backwardSums(
                range, channels: channels, input: input.pointer, mean: mean.pointer,
                inverseDeviation: inverseDeviation.pointer,
                output: rectifies ? output.map { UnsafePointer($0.pointer) } : nil, activation: activation,
                gradient: gradient.pointer, into: target)
        }
        pass.program.add("\(name) parameter gradients", slices: 1) { [self] _, _ in
            for c in 0..<channels {
                bias.gradient.pointer[c] = Float(sums[c])
                weight.gradient.pointer[c] = Float(sums[channels + c])
            }
        }
        pass.program.mark(.gradient(name: weight.name))
        pass.program.mark(.gradient(name: bias.name))
        pass.program.mark(.batchNormalizationSums(name: name))
        // The masked gradient is the residual's; without one, its memory serves the input's gradient. With
        // one, that of the input itself does, which nothing reads again.
        let inputGradient = hasResidual ? input : gradient
        let coefficients = pass.workspace.tensor(Shape(rows: 3, columns: channels))
        let (a, b, c) = (
            coefficients.pointer, coefficients.pointer + channels, coefficients.pointer + 2 * channels
        )
        pass.program.add("\(name) backward coefficients", slices: 1) { [self] _, _ in
            let count = sums[2 * channels]
            for channel in 0..<channels {
                let s = Double(inverseDeviation.pointer[channel])
                let slope = Double(weight.value.pointer[channel]) * s
                a[channel] = Float(slope)
                b[channel] = Float(-slope * s * sums[channels + channel] / count)
                c[channel] = Float(-slope * sums[channel] / count)
            }
        }
        addLoop(pass, "backward", positions: positions) { [self] range in
            BatchNormalizationKernel.backward(
                range, channels: channels, input: input.pointer, mean: mean.pointer, a: a, b: b, c: c,
                gradient: gradient.pointer, inputGradient: inputGradient.pointer)
        }
        pass.workspace.release(coefficients)
        // All that came after this layer has been through its backward pass: later gradients may have
        // the memory. An output that no rectifier needs was given back in the forward pass.
        if !hasResidual { pass.workspace.release(input) }
        if rectifies, let output { pass.workspace.release(output) }
        return (inputGradient, hasResidual ? gradient : nil)
    }

    /// Moves the running statistics; only when a step is complete, so that an abandoned one leaves none.
    public func updateRunningStatistics() {
        let momentum = BatchNormalization.momentum
        let unbiased = batchCount > 1 ? Float(batchCount / (batchCount - 1)) : 1
        for c in 0..<channels {
            runningMean.pointer[c] += momentum * (mean.pointer[c] - runningMean.pointer[c])
            runningVariance.pointer[c] +=
                momentum * (variance.pointer[c] * unbiased - runningVariance.pointer[c])
        }
    }

    private func takeBatchStatistics() {
        batchCount = sums[2 * channels]
        for c in 0..<channels {
            let average = sums[c] / batchCount
            let spread = max(0, sums[channels + c] / batchCount - average * average)
            mean.pointer[c] = Float(average)
            variance.pointer[c] = Float(spread)
        }
        setCoefficients(mean: mean.pointer, variance: variance.pointer)
    }

    private func takeRunningStatistics() {
        setCoefficients(mean: runningMean.pointer, variance: runningVariance.pointer)
    }

    private func setCoefficients(mean: UnsafePointer<Float>, variance: UnsafePointer<Float>) {
        for c in 0..<channels {
            let s = 1 / (variance[c] + BatchNormalization.epsilon).squareRoot()
            inverseDeviation.pointer[c] = s
            scale.pointer[c] = weight.value.pointer[c] * s
            shift.pointer[c] = bias.value.pointer[c] - mean[c] * scale.pointer[c]
        }
    }

    /// Appends a loop that sums by slices, then the sum of those in their order.
    private func addSums(
        _ pass: Pass, positions: Int,
        _ body: @escaping (_ range: Range<Int>, _ target: UnsafeMutablePointer<Double>) -> Void
    ) {
        let channels = channels
        let slices = BatchNormalizationKernel.slices(positions: positions, channels: channels)
        // Doubles in float memory, which is aligned for both.
        let partial = pass.workspace.tensor(Shape(rows: slices, columns: 4 * channels))
        let doubles = UnsafeMutableRawPointer(partial.pointer).assumingMemoryBound(to: Double.self)
        pass.program.add("\(name) sums", slices: slices) { slice, _ in
            let range = BatchNormalizationKernel.positions(
                ofSlice: slice, count: positions, channels: channels)
            body(range, doubles + slice * 2 * channels)
        }
        pass.program.add("\(name) sum of sums", slices: 1) { [sums] _, _ in
            for c in 0..<2 * channels {
                var total = 0.0
                for slice in 0..<slices { total += doubles[slice * 2 * channels + c] }
                sums[c] = total
            }
            sums[2 * channels] = Double(positions)
        }
        pass.workspace.release(partial)
    }

    private func addLoop(
        _ pass: Pass, _ what: String, positions: Int, _ body: @escaping (Range<Int>) -> Void
    ) {
        let channels = channels
        let slices = BatchNormalizationKernel.slices(positions: positions, channels: channels)
        pass.program.add("\(name) \(what)", slices: slices) { slice, _ in
            body(
                BatchNormalizationKernel.positions(ofSlice: slice, count: positions, channels: channels))
        }
    }
}
