import TSimCNEKernels

/// A depthwise convolution, the batch normalisation of its output and the function that may follow; and the convolution
/// that widens the images before it, where there is one.
///
/// In training the widened images are stored as their convolution leaves them. Each is normalised where the depthwise
/// convolution reads it, and its gradient goes through all steps of the backward pass while it is in the cache: these
/// are the largest tensors of a network of such blocks, and every pass over them waits for memory.
public final class NormalizedDepthwise: Layer {
    private let widening: NormalizedConvolution?
    private let depthwise: DepthwiseConvolutionLayer
    private let normalization: BatchNormalization
    /// What the depthwise convolution reads, normalised or to be so, and what it has made.
    private var source: Tensor?
    private var raw: Tensor?

    public var parameters: [Parameter] {
        (widening?.parameters ?? []) + depthwise.parameters + normalization.parameters
    }
    public var normalizations: [BatchNormalization] {
        (widening?.normalizations ?? []) + [normalization]
    }

    /// - Parameters:
    ///   - depthwise: the convolution of each channel by itself.
    ///   - normalization: of what it makes, with the function that follows.
    ///   - widening: what makes the images that it reads of those that the layer reads.
    init(
        _ depthwise: DepthwiseConvolutionLayer, _ normalization: BatchNormalization,
        after widening: NormalizedConvolution?
    ) {
        self.depthwise = depthwise
        self.normalization = normalization
        self.widening = widening
    }

    public func initialize(_ random: inout RandomNumbers) {
        widening?.initialize(&random)
        depthwise.initialize(&random)
    }

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        let raw = pass.usesBatchStatistics ? batchForward(input, pass) : runningForward(input, pass)
        let output = pass.usesBatchStatistics ? pass.successor(of: raw) : raw
        normalization.addOutput(of: raw, residual: nil, into: output, pass)
        if output.pointer != raw.pointer { pass.releaseUnlessKept(raw) }
        return output
    }

    private func runningForward(_ input: Tensor, _ pass: Pass) -> Tensor {
        let source = widening?.forward(input, pass) ?? input
        let raw = depthwise.forward(source, pass)
        _ = normalization.addRunningCoefficients(residual: nil, pass)
        if source.pointer != input.pointer { pass.workspace.release(source) }
        return raw
    }

    private func batchForward(_ input: Tensor, _ pass: Pass) -> Tensor {
        let source = widening?.rawForward(.plain(input), shape: input.shape, pass) ?? input
        let images = Images(source.shape, depthwise.convolution(of: source.shape))
        let raw = depthwise.output(of: images.convolution, images: images.count, pass)
        let channels = source.shape.channels
        let memory = pass.workspace.tensor(
            Shape(
                rows: 1, columns: PartialSums.count(slices: images.slices, rows: 3, channels: channels)))
        let sums = PartialSums(memory.pointer, rows: 3, channels: channels)
        let weight = depthwise.weight
        pass.program.add(
            "\(weight.name) forward", slices: images.slices,
            scratch: widening == nil ? 0 : images.together * images.inputCount
        ) { [self] slice, scratch in
            images.forEachGroup(of: slice) { group, isFirst in
                let read = read(group, of: source, images, into: scratch)
                for image in group {
                    images.convolution.forward(
                        read + image * images.inputCount, weight: weight.value.pointer,
                        into: raw.pointer + image * images.outputCount)
                }
                BatchNormalizationKernel.statistics(
                    images.outputs(group), channels: channels, input: raw.pointer, sums: sums, slice: slice,
                    isFirst: isFirst)
            }
        }
        normalization.addStatistics(
            sums, slices: images.slices, positions: { images.outputs(images.of($0)).count }, pass)
        pass.workspace.release(memory)
        if widening != nil { pass.releaseUnlessKept(source) }
        (self.source, self.raw) = (source, raw)
        return raw
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let (source, raw) = (source!, raw!)
        let images = Images(source.shape, depthwise.convolution(of: source.shape))
        normalization.addMaskedSums(gradient: gradient, input: raw, pass)
        let ofRaw = normalization.inputGradient(gradient, input: raw)
        let before = widening?.normalization
        let sums = before?.gradientSums(of: source, slices: images.slices, pass)
        let result = widening != nil || wantsInputGradient ? pass.workspace.tensor(source.shape) : nil
        let inputs = before == nil ? 0 : images.together * images.inputCount
        depthwise.addWeightGradient(
            slices: images.slices, scratch: inputs + images.together * images.outputCount, pass
        ) { [self] slice, scratch, ofWeight in
            images.forEachGroup(of: slice) { group, isFirst in
                ofRaw.copy(images.outputs(group), into: scratch + inputs)
                let slopes = scratch + inputs - group.lowerBound * images.outputCount
                let read = read(group, of: source, images, into: scratch)
                for image in group {
                    images.convolution.addWeightGradient(
                        read + image * images.inputCount, slopes + image * images.outputCount,
                        into: ofWeight)
                }
                guard let result else { return }
                for image in group {
                    images.convolution.backward(
                        slopes + image * images.outputCount, weight: depthwise.weight.value.pointer,
                        into: result.pointer + image * images.inputCount)
                }
                guard let before, let sums else { return }
                BatchNormalizationKernel.maskedSums(
                    images.inputs(group), rectifier: sums.0, slice: slice, isFirst: isFirst,
                    mask: before.functionMask, gradient: result.pointer)
            }
        }
        pass.workspace.release(gradient)
        pass.workspace.release(raw)
        guard let widening, let before, let sums, let result else { return result }
        before.addGradientSums(sums.memory, slices: images.slices, pass)
        return widening.backwardMasked(result, sink: wantsInputGradient ? .plain : nil, pass)
    }

    /// What the depthwise convolution reads: where it would begin for the first of all images.
    private func read(
        _ group: Range<Int>, of source: Tensor, _ images: Images, into scratch: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float> {
        guard let widening else { return UnsafePointer(source.pointer) }
        let start = scratch - group.lowerBound * images.inputCount
        widening.normalization.normalize(images.inputs(group), of: source, into: start)
        return UnsafePointer(start)
    }

    /// Which images a slice has, and where they lie.
    private struct Images {
        let count: Int
        let area: Int
        let inputCount: Int
        let convolution: ChannelWindows

        init(_ shape: Shape, _ convolution: ChannelWindows) {
            count = shape.images
            area = shape.height * shape.width
            inputCount = area * shape.channels
            self.convolution = convolution
        }

        var outputCount: Int { convolution.outputCount }
        /// Each slice makes sums of its own.
        var slices: Int { min(count, 32) }
        /// Images that are worked on at once: many where planes are of a few pixels, so that a channel's numbers are
        /// read for many; few enough to stay in the cache.
        var together: Int { max(1, min((count + slices - 1) / slices, 16384 / inputCount)) }

        func of(_ slice: Int) -> Range<Int> { slice * count / slices..<(slice + 1) * count / slices }

        func forEachGroup(of slice: Int, _ body: (_ group: Range<Int>, _ isFirst: Bool) -> Void) {
            let all = of(slice)
            for first in stride(from: all.lowerBound, to: all.upperBound, by: together) {
                body(first..<min(all.upperBound, first + together), first == all.lowerBound)
            }
        }

        /// Positions of images.
        func inputs(_ images: Range<Int>) -> Range<Int> {
            images.lowerBound * area..<images.upperBound * area
        }
        func outputs(_ images: Range<Int>) -> Range<Int> {
            let area = convolution.outputHeight * convolution.outputWidth
            return images.lowerBound * area..<images.upperBound * area
        }
    }
}
