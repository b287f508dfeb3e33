extension Convolution {
    /// What is done with input gradients before they are stored.
    public enum GradientSink {
        case plain
        /// Adds another gradient, whose memory is taken over.
        case adding(Tensor)
        /// Goes on through the rectified normalisation that the input came from, which was not stored.
        case activation(RectifierGradient, Activation)
        /// The same where its output was stored; adds another gradient, whose memory is taken over.
        case joining(RectifierGradient, output: Tensor, other: Tensor)

        fileprivate var other: Tensor? {
            switch self {
            case .plain, .activation: nil
            case .adding(let other), .joining(_, _, let other): other
            }
        }
    }

    private enum GradientForm {
        case tilesOfFour(WinogradConvolution<UnitStrideTransforms>)
        case tilesOfThree(WinogradConvolution<ThreeOutputTransforms>)
        case planeOfTwo(WinogradConvolution<PlaneOfTwoTransforms>)
        case planeOfThree(WinogradConvolution<PlaneOfThreeTransforms>)
        case stridedFour(WinogradConvolution<StrideTwoGradientTransforms<PairsOfFour>>)
        case stridedThree(WinogradConvolution<StrideTwoGradientTransforms<PairsOfThree>>)
        case stridedTwo(WinogradConvolution<StrideTwoGradientTransforms<PairsOfTwo>>)
        case direct(DirectConvolution)
        case scatter(ScatterConvolution)
    }

    /// At stride 1 the data gradient is a convolution again, with the kernel turned by 180° and its
    /// channels exchanged.
    private var gradientForm: GradientForm {
        func winograd<T>() -> WinogradConvolution<T> {
            WinogradConvolution(
                input: geometry.output, output: geometry.input, turned: true, precision: precision)
        }
        switch (algorithm, geometry.stride) {
        case (.direct, 1): return .direct(DirectConvolution(geometry.transposed, turned: true))
        case (.direct, _): return .scatter(ScatterConvolution(geometry))
        case (.wholePlane, _):
            return geometry.input.height == 2 ? .planeOfTwo(winograd()) : .planeOfThree(winograd())
        case (.winograd(4), 1): return .tilesOfFour(winograd())
        case (.winograd, 1): return .tilesOfThree(winograd())
        case (.winograd(4), _): return .stridedFour(winograd())
        case (.winograd(3), _): return .stridedThree(winograd())
        case (.winograd, _): return .stridedTwo(winograd())
        }
    }

    /// The number of slices that sums of a ``GradientSink`` come in.
    public var gradientSlices: Int {
        switch gradientForm {
        case .tilesOfFour(let form): form.slices
        case .tilesOfThree(let form): form.slices
        case .planeOfTwo(let form): form.slices
        case .planeOfThree(let form): form.slices
        case .stridedFour(let form): form.slices
        case .stridedThree(let form): form.slices
        case .stridedTwo(let form): form.slices
        case .direct(let form): form.slices
        case .scatter(let form): form.slices
        }
    }

    /// Appends the gradient with respect to the weights and, if `sink` is given, to the input.
    ///
    /// - Returns: where the input's gradient will be.
    public func backward(
        _ program: Program, name: String, workspace: Workspace, source: Source, outputGradient: Source,
        weight: AlignedBuffer, weightGradient: AlignedBuffer, sink: GradientSink?
    ) -> Tensor? {
        var (source, outputGradient) = (source, outputGradient)
        var copy: Tensor?
        if algorithm == .direct {
            (source, copy) = stored(source, program, "\(name) activation", workspace)
            (outputGradient, _) = stored(outputGradient, program, "\(name) output gradient", workspace)
        }
        backwardWeight(
            program, name: name, workspace: workspace, source: source, outputGradient: outputGradient,
            weightGradient: weightGradient)
        if let copy { workspace.release(copy) }
        return sink.map {
            backwardData(
                program, name: name, workspace: workspace, outputGradient: outputGradient, weight: weight,
                sink: $0)
        }
    }

    /// Stores what a source makes of values, for forms that read them as they are. A gradient is stored over
    /// the input of its normalisation, which nothing else will read.
    private func stored(
        _ source: Source, _ program: Program, _ name: String, _ workspace: Workspace
    ) -> (Source, copy: Tensor?) {
        switch source {
        case .plain: return (source, nil)
        case .activated(let input, let activation):
            let copy = workspace.tensor(input.shape)
            program.addCopy(
                name, of: ActivatedReader(values: input.pointer, activation: activation), into: copy)
            return (.plain(copy), copy)
        case .gradient(let reader, let input):
            program.addCopy(name, of: reader, into: input)
            return (.plain(input), nil)
        }
    }

    /// The gradient with respect to the input alone; the scattering form wants a plain source.
    public func backwardData(
        _ program: Program, name: String, workspace: Workspace, outputGradient: Source,
        weight: AlignedBuffer, sink: GradientSink
    ) -> Tensor {
        program.keepAlive(workspace)
        func add<Form: ConvolutionForm>(_ form: Form) -> Tensor {
            let taken = Form.storesOnce ? sink.other : nil
            let output = taken ?? workspace.tensor(geometry.input)
            let loop = Loop(
                program, "\(name) data gradient", workspace, form, weight: weight, output: output)
            switch sink {
            case .plain: loop.add(outputGradient, PlainWriter())
            case .adding(let other): loop.add(outputGradient, AddingWriter(other: other.pointer))
            case .activation(let gradient, let activation):
                loop.add(
                    outputGradient, ActivationGradientWriter(gradient: gradient, activation: activation))
            case .joining(let gradient, let stored, let other):
                loop.add(
                    outputGradient,
                    JoiningGradientWriter(gradient: gradient, output: stored.pointer, other: other.pointer))
            }
            workspace.release(loop.packed)
            if taken == nil, let other = sink.other { workspace.release(other) }
            return output
        }
        switch gradientForm {
        case .tilesOfFour(let form): return add(form)
        case .tilesOfThree(let form): return add(form)
        case .planeOfTwo(let form): return add(form)
        case .planeOfThree(let form): return add(form)
        case .stridedFour(let form): return add(form)
        case .stridedThree(let form): return add(form)
        case .stridedTwo(let form): return add(form)
        case .direct(let form): return add(form)
        case .scatter(let form): return add(form)
        }
    }
}

extension Program {
    /// Appends a copy of what a reader makes of a tensor's values; may be in place.
    func addCopy<R: Reader>(_ name: String, of reader: R, into target: Tensor) {
        let channels = target.shape.channels
        let positions = target.shape.positions
        let slices = BatchNormalizationKernel.slices(positions: positions, channels: channels)
        add(name, slices: slices) { slice, _ in
            let range = BatchNormalizationKernel.positions(
                ofSlice: slice, count: positions, channels: channels)
            reader.copy(
                from: range.lowerBound, count: range.count, channels: channels,
                into: target.pointer + range.lowerBound * channels)
        }
    }

    /// Appends target[c] = Σ_r source[r, c], in the order of r.
    public func addSum(
        _ name: String, of source: UnsafeMutablePointer<Float>, rows: Int, columns: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        nonisolated(unsafe) let source = source
        nonisolated(unsafe) let target = target
        let block = 4096
        add(name, slices: (columns + block - 1) / block) { slice, _ in
            let first = slice * block
            let count = min(block, columns - first)
            (target + first).update(from: source + first, count: count)
            for row in 1..<rows {
                let line = source + row * columns + first
                for c in 0..<count { target[first + c] += line[c] }
            }
        }
    }
}
