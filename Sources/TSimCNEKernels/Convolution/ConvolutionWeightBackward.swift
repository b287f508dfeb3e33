extension Convolution {
    /// The gradient with respect to the weights alone; the direct form wants plain sources.
    public func backwardWeight(
        _ program: Program, name: String, workspace: Workspace, source: Input, outputGradient: OutputGradient,
        weightGradient: AlignedBuffer
    ) {
        program.keepAlive(workspace)
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
            program.keepAlive(input)
            program.keepAlive(gradient)
            ConvolutionWeightGradient(geometry)
                .add(to: program, name, workspace, input, gradient, weightGradient)
        }
    }
}

extension WinogradWeightGradient {
    fileprivate func add(
        to program: Program, _ name: String, _ workspace: Workspace, _ source: Convolution.Input,
        _ outputGradient: Convolution.OutputGradient, _ weightGradient: AlignedBuffer
    ) {
        let sums = finishesAtOnce ? nil : workspace.tensor(Shape(rows: 1, columns: sumCount))
        let loop = Loop(
            gradient: self, program: program, name: name, sums: sums?.pointer, result: weightGradient.pointer)
        source.read(by: ReadingInput(loop: loop, outputGradient: outputGradient), program)
        guard let sums else { return }
        program.add("\(name), transformed back", slices: finishSlices) { row, _ in
            finish(slice: row, sums: sums.pointer, into: weightGradient.pointer)
        }
        workspace.release(sums)
    }

    /// The loop over slices, compiled for each way to read the input and the gradient.
    private struct Loop {
        let gradient: WinogradWeightGradient
        let program: Program
        let name: String
        let sums: UnsafeMutablePointer<Float>?
        let result: UnsafeMutablePointer<Float>
    }

    private struct ReadingInput: ReaderUser {
        let loop: Loop
        let outputGradient: Convolution.OutputGradient

        func use<R: Reader>(_ reader: R) {
            outputGradient.read(by: ReadingBoth(loop: loop, input: reader), loop.program)
        }
    }

    private struct ReadingBoth<Input: Reader>: ReaderUser {
        let loop: Loop
        let input: Input

        func use<R: Reader>(_ reader: R) {
            // The program must not hold itself.
            let (gradient, sums, result, input) = (loop.gradient, loop.sums, loop.result, input)
            loop.program.add(loop.name, slices: gradient.slices, scratch: gradient.scratchCount) {
                slice, scratch in
                gradient.run(
                    slice: slice, input: input, outputGradient: reader, sums: sums, gradient: result,
                    scratch: scratch)
            }
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
