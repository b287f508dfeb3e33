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

    /// The number of slices that sums of a ``GradientSink`` come in.
    public var gradientSlices: Int {
        if WinogradConvolution.serves(geometry.transposed), geometry.stride == 1 {
            return WinogradConvolution(geometry.transposed).slices
        }
        return geometry.stride == 2 ? geometry.slices : geometry.transposed.slices
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
        if !WinogradConvolution.serves(geometry) {
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

    /// For forms that read values as they are: stores what a source makes of them. A gradient is stored
    /// over the input of its normalisation, which nothing else will read.
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

    /// The gradient with respect to the weights alone; forms other than Winograd's want plain sources.
    public func backwardWeight(
        _ program: Program, name: String, workspace: Workspace, source: Source, outputGradient: Source,
        weightGradient: AlignedBuffer
    ) {
        program.keepAlive(workspace)
        source.keepAlive(in: program)
        outputGradient.keepAlive(in: program)
        let name = "\(name) weight gradient"
        if WinogradConvolution.serves(geometry) {
            let form = WinogradWeightGradient(geometry)
            let sums = workspace.tensor(Shape(rows: 1, columns: form.sumCount))
            switch source {
            case .plain(let input):
                form.add(
                    to: program, name, PlainReader(values: input.pointer), outputGradient, sums: sums)
            case .activated(let input, let activation):
                form.add(
                    to: program, name, ActivatedReader(values: input.pointer, activation: activation),
                    outputGradient, sums: sums)
            case .gradient(let reader, _): form.add(to: program, name, reader, outputGradient, sums: sums)
            }
            program.add("\(name), transformed back", slices: form.finishSlices) { row, _ in
                form.finish(slice: row, sums: sums.pointer, into: weightGradient.pointer)
            }
            return workspace.release(sums)
        }
        guard case .plain(let input) = source, case .plain(let outputGradient) = outputGradient else {
            preconditionFailure("the direct form reads stored values")
        }
        let form = ConvolutionWeightGradient(geometry)
        let count = geometry.weightCount
        let partial: Tensor? =
            form.groups == 1 ? nil : workspace.tensor(Shape(rows: form.groups, columns: count))
        program.add(name, slices: form.slices) { slice, _ in
            form.run(
                slice: slice, input: input.pointer, outputGradient: outputGradient.pointer,
                gradient: partial?.pointer ?? weightGradient.pointer)
        }
        if let partial {
            program.addSum(
                "\(name), sum", of: partial.pointer, rows: form.groups, columns: count,
                into: weightGradient.pointer)
            workspace.release(partial)
        }
    }

    /// The gradient with respect to the input alone; strides other than 1 want a plain source.
    public func backwardData(
        _ program: Program, name: String, workspace: Workspace, outputGradient: Source,
        weight: AlignedBuffer, sink: GradientSink
    ) -> Tensor {
        program.keepAlive(workspace)
        outputGradient.keepAlive(in: program)
        let packed: Tensor
        // The direct form stores a first version of its sums: not where the other gradient lies.
        var writesInPlace = true
        let add: GradientLoop
        if geometry.stride == 2 {
            let scatter = ScatterConvolution(geometry)
            packed = workspace.tensor(Shape(rows: 1, columns: scatter.packedCount))
            program.add("\(name) pack transposed weights", slices: geometry.kernel * geometry.kernel) {
                tap, _ in
                scatter.pack(tap: tap, weight: weight.pointer, into: packed.pointer)
            }
            add = .scatter(scatter)
        } else if WinogradConvolution.serves(geometry.transposed) {
            // A convolution again, with the kernel turned by 180° and its channels exchanged.
            let form = WinogradConvolution(geometry.transposed)
            packed = workspace.tensor(Shape(rows: 1, columns: form.packedCount))
            program.add(
                "\(name) transform turned weights", slices: form.packSlices, scratch: form.packScratchCount
            ) { slice, scratch in
                form.packTurned(slice: slice, weight: weight.pointer, into: packed.pointer, scratch: scratch)
            }
            add = .form(.winograd(form))
        } else {
            let turned = DirectConvolution(geometry.transposed)
            packed = workspace.tensor(Shape(rows: 1, columns: turned.packedCount))
            program.add("\(name) pack turned weights", slices: geometry.kernel * geometry.kernel) { tap, _ in
                turned.packTurned(tap: tap, weight: weight.pointer, into: packed.pointer)
            }
            writesInPlace = false
            add = .form(.direct(turned))
        }
        let output = (writesInPlace ? sink.other : nil) ?? workspace.tensor(geometry.input)
        let name = "\(name) data gradient"
        switch sink {
        case .plain: add.add(to: program, name, outputGradient, packed, output, PlainWriter())
        case .adding(let other):
            add.add(
                to: program, name, outputGradient, packed, output, AddingWriter(other: other.pointer))
        case .activation(let gradient, let activation):
            add.add(
                to: program, name, outputGradient, packed, output,
                ActivationGradientWriter(gradient: gradient, activation: activation))
        case .joining(let gradient, let stored, let other):
            add.add(
                to: program, name, outputGradient, packed, output,
                JoiningGradientWriter(gradient: gradient, output: stored.pointer, other: other.pointer))
        }
        workspace.release(packed)
        if !writesInPlace, let other = sink.other { workspace.release(other) }
        return output
    }

    private enum GradientLoop {
        case form(Loop.Form)
        case scatter(ScatterConvolution)

        func add<W: Writer>(
            to program: Program, _ name: String, _ outputGradient: Source, _ packed: Tensor,
            _ output: Tensor, _ writer: W
        ) {
            switch self {
            case .form(let form): Loop(program, name, form, packed, output).add(outputGradient, writer)
            case .scatter(let form):
                guard case .plain(let gradient) = outputGradient else {
                    preconditionFailure("the scattering form reads stored values")
                }
                program.add(name, slices: form.geometry.slices, scratch: form.scratchCount) {
                    slice, scratch in
                    form.backwardData(
                        slice: slice, outputGradient: gradient.pointer, packed: packed.pointer,
                        writer: writer, inputGradient: output.pointer, scratch: scratch)
                }
            }
        }
    }
}

extension WinogradWeightGradient {
    fileprivate func add<Input: Reader>(
        to program: Program, _ name: String, _ input: Input, _ outputGradient: Convolution.Source,
        sums: Tensor
    ) {
        switch outputGradient {
        case .plain(let gradient):
            add(to: program, name, input, PlainReader(values: gradient.pointer), sums)
        case .activated(let gradient, let activation):
            add(
                to: program, name, input,
                ActivatedReader(values: gradient.pointer, activation: activation), sums)
        case .gradient(let reader, _): add(to: program, name, input, reader, sums)
        }
    }

    private func add<Input: Reader, Gradient: Reader>(
        to program: Program, _ name: String, _ input: Input, _ outputGradient: Gradient, _ sums: Tensor
    ) {
        program.add(name, slices: slices, scratch: scratchCount) { slice, scratch in
            run(
                slice: slice, input: input, outputGradient: outputGradient, sums: sums.pointer,
                scratch: scratch)
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
