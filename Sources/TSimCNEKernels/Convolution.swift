/// A convolution's three passes as operations of a program.
///
/// This is where the form is chosen from the shape; layers know nothing of it: Winograd's for 3×3 at
/// stride 1 with whole vectors of channels, else the direct one, which reads neighbourhoods in place as
/// rows of a matrix product.
public struct Convolution: Sendable {
    public let geometry: ConvolutionGeometry

    public init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

    /// Whether the input may come with an ``Activation``.
    public var appliesActivation: Bool { WinogradConvolution.serves(geometry) }

    /// output = convolution of input with weight (kernel row, kernel column, in, out).
    public func forward(
        _ program: Program, name: String, workspace: Workspace, input: Tensor,
        activation: Activation? = nil, weight: AlignedBuffer, output: Tensor
    ) {
        precondition(activation == nil || appliesActivation)
        program.keepAlive(workspace)
        if WinogradConvolution.serves(geometry) {
            let form = WinogradConvolution(geometry)
            let packed = workspace.tensor(Shape(rows: 1, columns: form.packedCount))
            program.add("\(name) transform weights", slices: form.packSlices) { slice, _ in
                form.pack(slice: slice, weight: weight.pointer, into: packed.pointer)
            }
            add(
                form, "\(name) forward", to: program, input: input, activation: activation, packed: packed,
                output: output)
            return workspace.release(packed)
        }
        let direct = DirectConvolution(geometry)
        let packed = workspace.tensor(Shape(rows: 1, columns: direct.packedCount))
        program.add("\(name) pack weights", slices: geometry.kernel * geometry.kernel) { tap, _ in
            direct.pack(tap: tap, weight: weight.pointer, into: packed.pointer)
        }
        add(direct, "\(name) forward", to: program, input: input, packed: packed, output: output)
        workspace.release(packed)
    }

    /// inputGradient = gradient with respect to the input.
    public func backwardData(
        _ program: Program, name: String, workspace: Workspace, outputGradient: Tensor,
        weight: AlignedBuffer, inputGradient: Tensor
    ) {
        program.keepAlive(workspace)
        let geometry = geometry
        if geometry.stride == 2 {
            let scatter = ScatterConvolution(geometry)
            let packed = workspace.tensor(Shape(rows: 1, columns: scatter.packedCount))
            program.add("\(name) pack transposed weights", slices: geometry.kernel * geometry.kernel) {
                tap, _ in
                scatter.pack(tap: tap, weight: weight.pointer, into: packed.pointer)
            }
            program.add(
                "\(name) data gradient", slices: geometry.slices, scratch: scatter.scratchCount
            ) { slice, scratch in
                scatter.backwardData(
                    images: geometry.images(ofSlice: slice), outputGradient: outputGradient.pointer,
                    packed: packed.pointer, inputGradient: inputGradient.pointer, scratch: scratch)
            }
            return workspace.release(packed)
        }
        // A convolution again, with the kernel turned by 180° and its channels exchanged.
        if WinogradConvolution.serves(geometry.transposed) {
            let form = WinogradConvolution(geometry.transposed)
            let packed = workspace.tensor(Shape(rows: 1, columns: form.packedCount))
            program.add("\(name) transform turned weights", slices: form.packSlices) { slice, _ in
                form.packTurned(slice: slice, weight: weight.pointer, into: packed.pointer)
            }
            add(
                form, "\(name) data gradient", to: program, input: outputGradient, packed: packed,
                output: inputGradient)
            return workspace.release(packed)
        }
        let turned = DirectConvolution(geometry.transposed)
        let packed = workspace.tensor(Shape(rows: 1, columns: turned.packedCount))
        program.add("\(name) pack turned weights", slices: geometry.kernel * geometry.kernel) { tap, _ in
            turned.packTurned(tap: tap, weight: weight.pointer, into: packed.pointer)
        }
        add(
            turned, "\(name) data gradient", to: program, input: outputGradient, packed: packed,
            output: inputGradient)
        workspace.release(packed)
    }

    private func add(
        _ form: WinogradConvolution, _ name: String, to program: Program, input: Tensor,
        activation: Activation? = nil, packed: Tensor, output: Tensor
    ) {
        program.add(name, slices: form.slices, scratch: form.scratchCount) { slice, scratch in
            form.forward(
                slice: slice, input: input.pointer, activation: activation, packed: packed.pointer,
                output: output.pointer, scratch: scratch)
        }
    }

    private func add(
        _ form: DirectConvolution, _ name: String, to program: Program, input: Tensor, packed: Tensor,
        output: Tensor
    ) {
        program.add(name, slices: form.geometry.slices, scratch: form.scratchCount) { slice, scratch in
            form.forward(
                images: form.geometry.images(ofSlice: slice), input: input.pointer, packed: packed.pointer,
                output: output.pointer, scratch: scratch)
        }
    }

    /// weightGradient = gradient with respect to the weights.
    public func backwardWeight(
        _ program: Program, name: String, workspace: Workspace, input: Tensor,
        activation: Activation? = nil, outputGradient: Tensor, weightGradient: AlignedBuffer
    ) {
        precondition(activation == nil || appliesActivation)
        program.keepAlive(workspace)
        if WinogradConvolution.serves(geometry) {
            let form = WinogradWeightGradient(geometry)
            let sums = workspace.tensor(Shape(rows: 1, columns: form.sumCount))
            program.add("\(name) weight gradient", slices: form.slices, scratch: form.scratchCount) {
                slice, scratch in
                form.run(
                    slice: slice, input: input.pointer, activation: activation,
                    outputGradient: outputGradient.pointer, sums: sums.pointer, scratch: scratch)
            }
            program.add("\(name) weight gradient, transformed back", slices: form.finishSlices) { row, _ in
                form.finish(slice: row, sums: sums.pointer, into: weightGradient.pointer)
            }
            return workspace.release(sums)
        }
        let form = ConvolutionWeightGradient(geometry)
        let count = geometry.weightCount
        let partial: Tensor? =
            form.groups == 1 ? nil : workspace.tensor(Shape(rows: form.groups, columns: count))
        program.add("\(name) weight gradient", slices: form.slices) { slice, _ in
            form.run(
                slice: slice, input: input.pointer, outputGradient: outputGradient.pointer,
                gradient: partial?.pointer ?? weightGradient.pointer)
        }
        if let partial {
            program.addSum(
                "\(name) sum of weight gradients", of: partial.pointer, rows: form.groups, columns: count,
                into: weightGradient.pointer)
            workspace.release(partial)
        }
    }
}

extension Program {
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
