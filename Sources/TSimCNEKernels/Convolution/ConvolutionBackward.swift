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
        _ program: Program, name: String, workspace: Workspace, source: Input, outputGradient: OutputGradient,
        weight: AlignedBuffer, weightGradient: AlignedBuffer, sink: GradientSink?
    ) -> Tensor? {
        var (source, outputGradient) = (source, outputGradient)
        var copy: Tensor?
        if algorithm == .direct {
            if case .activated(let input, _) = source {
                copy = workspace.tensor(input.shape)
                program.addCopy("\(name) activation", of: source, into: copy!)
                source = .plain(copy!)
            }
            if case .normalized(let gradient) = outputGradient {
                // The gradient is stored over the input of its normalisation, which nothing else will read.
                program.addCopy("\(name) output gradient", of: outputGradient, into: gradient.input)
                outputGradient = .plain(gradient.input)
            }
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

    /// The gradient with respect to the input alone; the scattering form wants a plain source.
    public func backwardData(
        _ program: Program, name: String, workspace: Workspace, outputGradient: OutputGradient,
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
                func rectified<N: StoredNumbers>(_: N.Type) {
                    loop.add(
                        outputGradient,
                        ActivationGradientWriter<N>(gradient: gradient, activation: activation))
                }
                switch gradient.input.precision {
                case .single: rectified(StoredSingle.self)
                case .bfloat16: rectified(StoredBFloat16.self)
                }
            case .joining(let gradient, let stored, let other):
                func joined<N: StoredNumbers>(_: N.Type) {
                    loop.add(
                        outputGradient,
                        JoiningGradientWriter<N>(
                            gradient: gradient, output: stored.pointer, other: other.pointer))
                }
                switch gradient.input.precision {
                case .single: joined(StoredSingle.self)
                case .bfloat16: joined(StoredBFloat16.self)
                }
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
    /// Appends a copy of what is made of a tensor's values; may be in place.
    func addCopy(_ name: String, of input: Convolution.Input, into target: Tensor) {
        input.read(by: Copy(program: self, name: name, target: target), self)
    }

    /// Appends a copy of a gradient; may be in place.
    public func addCopy(_ name: String, of gradient: Convolution.OutputGradient, into target: Tensor) {
        gradient.read(by: Copy(program: self, name: name, target: target), self)
    }

    private struct Copy: ReaderUser {
        let program: Program
        let name: String
        let target: Tensor

        func use<R: Reader>(_ reader: R) {
            precondition(target.precision == .single)
            let (target, channels) = (target, target.shape.channels)
            let positions = target.shape.positions
            let slices = BatchNormalizationKernel.slices(positions: positions, channels: channels)
            program.add(name, slices: slices) { slice, _ in
                let range = BatchNormalizationKernel.positions(
                    ofSlice: slice, count: positions, channels: channels)
                reader.copy(
                    from: range.lowerBound, count: range.count, channels: channels,
                    into: target.pointer + range.lowerBound * channels)
            }
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
