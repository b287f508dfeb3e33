/// A convolution's passes as operations of a program.
///
/// This is where the form is chosen from the shape; layers know nothing of it: Winograd's for 3×3 at
/// stride 1 with whole vectors of channels, else the direct one, which reads neighbourhoods in place as
/// rows of a matrix product. What comes before and after a pass is given as a ``Source`` and a sink,
/// and done while values are in registers or in the cache.
public struct Convolution: Sendable {
    public let geometry: ConvolutionGeometry

    public init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

    /// A tensor, with what is made of its values before they are used.
    public enum Source {
        case plain(Tensor)
        case activated(Tensor, Activation)
        /// `input` is what the normalisation was given; its memory may be overwritten.
        case gradient(NormalizedGradient, input: Tensor)

        /// Readers know addresses only: a tensor with memory of its own must live as long as the program.
        func keepAlive(in program: Program) {
            switch self {
            case .plain(let tensor), .activated(let tensor, _), .gradient(_, let tensor):
                if let owner = tensor.owner { program.keepAlive(owner) }
            }
        }
    }

    /// What is done with outputs before they are stored.
    public enum Sink {
        case plain
        /// Sums for a batch's statistics, in rows of ``forwardSlicing``: origin, Σ, Σ of squares.
        case statistics(PartialSums)
        case affine(AffineWriter)
    }

    /// The slices of a pass, for those who sum by slice.
    public struct Slicing {
        public let count: Int
        /// Output positions of a slice.
        public let positions: (Int) -> Int
    }

    public var forwardSlicing: Slicing {
        if WinogradConvolution.serves(geometry) {
            let form = WinogradConvolution(geometry)
            return Slicing(count: form.slices) { form.positions(ofSlice: $0) }
        }
        let geometry = geometry
        let plane = geometry.output.height * geometry.output.width
        return Slicing(count: geometry.slices) { geometry.images(ofSlice: $0).count * plane }
    }

    /// output = convolution of the source with weight (kernel row, kernel column, in, out).
    public func forward(
        _ program: Program, name: String, workspace: Workspace, source: Source, weight: AlignedBuffer,
        output: Tensor, sink: Sink = .plain
    ) {
        program.keepAlive(workspace)
        source.keepAlive(in: program)
        let packed: Tensor
        let form: Loop.Form
        if WinogradConvolution.serves(geometry) {
            let winograd = WinogradConvolution(geometry)
            packed = workspace.tensor(Shape(rows: 1, columns: winograd.packedCount))
            program.add("\(name) transform weights", slices: winograd.packSlices) { slice, _ in
                winograd.pack(slice: slice, weight: weight.pointer, into: packed.pointer)
            }
            form = .winograd(winograd)
        } else {
            let direct = DirectConvolution(geometry)
            packed = workspace.tensor(Shape(rows: 1, columns: direct.packedCount))
            program.add("\(name) pack weights", slices: geometry.kernel * geometry.kernel) { tap, _ in
                direct.pack(tap: tap, weight: weight.pointer, into: packed.pointer)
            }
            form = .direct(direct)
        }
        let loop = Loop(program, "\(name) forward", form, packed, output)
        switch sink {
        case .plain: loop.add(source, PlainWriter())
        case .statistics(let sums): loop.add(source, StatisticsWriter(sums: sums))
        case .affine(let writer): loop.add(source, writer)
        }
        workspace.release(packed)
    }

    /// A form's loop over slices, compiled for each way to read and to write.
    struct Loop {
        /// The algorithms for a forward pass, which is also the data gradient's of the transposed
        /// geometry. Not a protocol: calls through one would not be compiled for their reader and writer.
        enum Form {
            case winograd(WinogradConvolution)
            case direct(DirectConvolution)
        }

        let program: Program
        let name: String
        let form: Form
        let packed: Tensor
        let output: Tensor

        init(_ program: Program, _ name: String, _ form: Form, _ packed: Tensor, _ output: Tensor) {
            self.program = program
            self.name = name
            self.form = form
            self.packed = packed
            self.output = output
        }

        func add<W: Writer>(_ source: Source, _ writer: W) {
            switch source {
            case .plain(let input): add(PlainReader(values: input.pointer), writer)
            case .activated(let input, let activation):
                add(ActivatedReader(values: input.pointer, activation: activation), writer)
            case .gradient(let reader, _): add(reader, writer)
            }
        }

        private func add<R: Reader, W: Writer>(_ reader: R, _ writer: W) {
            let (packed, output) = (packed, output)
            switch form {
            case .winograd(let form):
                program.add(name, slices: form.slices, scratch: form.scratchCount) { slice, scratch in
                    form.forward(
                        slice: slice, reader: reader, packed: packed.pointer, writer: writer,
                        output: output.pointer, scratch: scratch)
                }
            case .direct(let form):
                program.add(name, slices: form.geometry.slices, scratch: form.scratchCount) {
                    slice, scratch in
                    form.forward(
                        slice: slice, reader: reader, packed: packed.pointer, writer: writer,
                        output: output.pointer, scratch: scratch)
                }
            }
        }
    }
}
