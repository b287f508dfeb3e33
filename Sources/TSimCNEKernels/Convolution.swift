/// A convolution's three passes as operations of a program.
///
/// This is where the form is chosen from the shape; layers know nothing of it. So far there is one
/// form, the direct one: neighbourhoods are read in place, as rows of a matrix product.
public struct Convolution: Sendable {
    public let geometry: ConvolutionGeometry

    public init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

    /// output = convolution of input with weight (kernel row, kernel column, in, out).
    public func forward(
        _ program: Program, name: String, workspace: Workspace, input: Tensor, weight: AlignedBuffer,
        output: Tensor
    ) {
        program.keepAlive(workspace)
        let direct = DirectConvolution(geometry)
        let packed = workspace.tensor(Shape(rows: 1, columns: direct.packedCount))
        let geometry = geometry
        program.add("\(name) pack weights", slices: geometry.kernel * geometry.kernel) { tap, _ in
            direct.pack(tap: tap, weight: weight.pointer, into: packed.pointer)
        }
        program.add("\(name) forward", slices: geometry.slices, scratch: direct.scratchCount) {
            slice, scratch in
            direct.forward(
                images: geometry.images(ofSlice: slice), input: input.pointer, packed: packed.pointer,
                output: output.pointer, scratch: scratch)
        }
        workspace.release(packed)
    }

    /// inputGradient = gradient with respect to the input.
    public func backwardData(
        _ program: Program, name: String, workspace: Workspace, outputGradient: Tensor,
        weight: AlignedBuffer, inputGradient: Tensor
    ) {
        program.keepAlive(workspace)
        let geometry = geometry
        if geometry.stride == 1 {
            // A convolution again, with the kernel turned by 180° and its channels exchanged.
            let turned = DirectConvolution(geometry.transposed)
            let packed = workspace.tensor(Shape(rows: 1, columns: turned.packedCount))
            program.add("\(name) pack turned weights", slices: geometry.kernel * geometry.kernel) { tap, _ in
                turned.packTurned(tap: tap, weight: weight.pointer, into: packed.pointer)
            }
            program.add(
                "\(name) data gradient", slices: geometry.transposed.slices, scratch: turned.scratchCount
            ) { slice, scratch in
                turned.forward(
                    images: geometry.transposed.images(ofSlice: slice), input: outputGradient.pointer,
                    packed: packed.pointer, output: inputGradient.pointer, scratch: scratch)
            }
            workspace.release(packed)
        } else {
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
            workspace.release(packed)
        }
    }

    /// weightGradient = gradient with respect to the weights.
    public func backwardWeight(
        _ program: Program, name: String, workspace: Workspace, input: Tensor, outputGradient: Tensor,
        weightGradient: AlignedBuffer
    ) {
        program.keepAlive(workspace)
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
