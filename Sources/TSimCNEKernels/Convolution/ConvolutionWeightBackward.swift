extension Convolution {
    /// The gradient with respect to the weights alone; the direct form wants plain sources.
    public func backwardWeight(
        _ program: Program, name: String, workspace: Workspace, source: Source, outputGradient: Source,
        weightGradient: AlignedBuffer
    ) {
        program.keepAlive(workspace)
        source.keepAlive(in: program)
        outputGradient.keepAlive(in: program)
        let name = "\(name) weight gradient"
        func add<T: WinogradGradientTransforms>(_: T.Type) {
            WinogradWeightGradient<T>(geometry, precision)
                .add(to: program, name, workspace, source, outputGradient, weightGradient)
        }
        switch (algorithm, geometry.stride) {
        case (.wholePlane, _) where geometry.input.height == 2: add(PlaneOfTwoTransforms.self)
        case (.wholePlane, _): add(PlaneOfThreeTransforms.self)
        case (.winograd(4), 1): add(UnitStrideTransforms.self)
        case (.winograd, 1): add(ThreeOutputTransforms.self)
        case (.winograd(4), _): add(StrideTwoTransforms<PairsOfFour>.self)
        case (.winograd(3), _): add(StrideTwoTransforms<PairsOfThree>.self)
        case (.winograd, _): add(StrideTwoTransforms<PairsOfTwo>.self)
        case (.direct, _):
            guard case .plain(let input) = source, case .plain(let gradient) = outputGradient else {
                preconditionFailure("the direct form reads stored values")
            }
            ConvolutionWeightGradient(geometry)
                .add(to: program, name, workspace, input, gradient, weightGradient)
        }
    }
}

extension WinogradWeightGradient {
    fileprivate func add(
        to program: Program, _ name: String, _ workspace: Workspace, _ source: Convolution.Source,
        _ outputGradient: Convolution.Source, _ weightGradient: AlignedBuffer
    ) {
        let sums = finishesAtOnce ? nil : workspace.tensor(Shape(rows: 1, columns: sumCount))
        switch source {
        case .plain(let input):
            add(to: program, name, PlainReader(values: input.pointer), outputGradient, sums, weightGradient)
        case .activated(let input, let activation):
            add(
                to: program, name, ActivatedReader(values: input.pointer, activation: activation),
                outputGradient, sums, weightGradient)
        case .gradient(let reader, _):
            add(to: program, name, reader, outputGradient, sums, weightGradient)
        }
        guard let sums else { return }
        program.add("\(name), transformed back", slices: finishSlices) { row, _ in
            finish(slice: row, sums: sums.pointer, into: weightGradient.pointer)
        }
        workspace.release(sums)
    }

    private func add<Input: Reader>(
        to program: Program, _ name: String, _ input: Input, _ outputGradient: Convolution.Source,
        _ sums: Tensor?, _ weightGradient: AlignedBuffer
    ) {
        switch outputGradient {
        case .plain(let gradient):
            add(to: program, name, input, PlainReader(values: gradient.pointer), sums, weightGradient)
        case .activated(let gradient, let activation):
            add(
                to: program, name, input,
                ActivatedReader(values: gradient.pointer, activation: activation), sums, weightGradient)
        case .gradient(let reader, _): add(to: program, name, input, reader, sums, weightGradient)
        }
    }

    private func add<Input: Reader, Gradient: Reader>(
        to program: Program, _ name: String, _ input: Input, _ outputGradient: Gradient, _ sums: Tensor?,
        _ weightGradient: AlignedBuffer
    ) {
        program.add(name, slices: slices, scratch: scratchCount) { slice, scratch in
            run(
                slice: slice, input: input, outputGradient: outputGradient, sums: sums?.pointer,
                gradient: weightGradient.pointer, scratch: scratch)
        }
    }
}

extension ConvolutionWeightGradient {
    fileprivate func add(
        to program: Program, _ name: String, _ workspace: Workspace, _ input: Tensor,
        _ outputGradient: Tensor, _ weightGradient: AlignedBuffer
    ) {
        let count = geometry.weightCount
        let partial: Tensor? =
            groups == 1 ? nil : workspace.tensor(Shape(rows: groups, columns: count))
        program.add(name, slices: slices) { slice, _ in
            run(
                slice: slice, input: input.pointer, outputGradient: outputGradient.pointer,
                gradient: partial?.pointer ?? weightGradient.pointer)
        }
        if let partial {
            program.addSum(
                "\(name), sum", of: partial.pointer, rows: groups, columns: count,
                into: weightGradient.pointer)
            workspace.release(partial)
        }
    }
}
