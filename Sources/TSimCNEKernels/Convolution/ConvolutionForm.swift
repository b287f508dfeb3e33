/// An algorithm for a convolution's forward pass or for its data gradient.
///
/// What is generic over it is compiled for each form, reader and writer: calls through an existential
/// would not be.
protocol ConvolutionForm: Sendable {
    /// Floats of the packed weights, slices of packing them, and floats of scratch that this wants.
    var packedCount: Int { get }
    var packSlices: Int { get }
    var packScratchCount: Int { get }
    /// Brings a share of the convolution's weights (kernel row, kernel column, in, out) into the form's
    /// order.
    func pack(
        slice: Int, weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>)

    var slices: Int { get }
    /// Neighbouring slices that are best computed by one thread, one after the other, at most.
    var together: Int { get }
    /// Floats of scratch for so many.
    var scratchCount: Int { get }
    /// Output positions of a slice.
    func positions(ofSlice slice: Int) -> Int
    /// Whether an output is stored only once, so that a writer may read from where it writes.
    static var storesOnce: Bool { get }
    /// Computes the outputs of up to ``together`` slices.
    func run<R: Reader, W: Writer>(
        slices: Range<Int>, reader: R, packed: UnsafePointer<Float>, writer: W,
        output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>)
}

extension ConvolutionForm {
    var packScratchCount: Int { 0 }
    var together: Int { 1 }
    static var storesOnce: Bool { true }
}

extension Convolution {
    /// A form's loop over slices, compiled for each way to read and to write.
    struct Loop<Form: ConvolutionForm> {
        let program: Program
        let name: String
        let form: Form
        let packed: Tensor
        let output: Tensor

        /// Appends the packing of the weights; their memory is to be released after the loop.
        init(
            _ program: Program, _ name: String, _ workspace: Workspace, _ form: Form,
            weight: AlignedBuffer, output: Tensor
        ) {
            self.program = program
            self.name = name
            self.form = form
            self.output = output
            let packed = workspace.tensor(Shape(rows: 1, columns: form.packedCount))
            self.packed = packed
            program.add("\(name), weights", slices: form.packSlices, scratch: form.packScratchCount) {
                slice, scratch in
                form.pack(slice: slice, weight: weight.pointer, into: packed.pointer, scratch: scratch)
            }
        }

        func add<W: Writer>(_ source: Input, _ writer: W) {
            source.read(by: Writing(loop: self, writer: writer), program)
        }

        func add<W: Writer>(_ source: OutputGradient, _ writer: W) {
            source.read(by: Writing(loop: self, writer: writer), program)
        }
    }

    private struct Writing<Form: ConvolutionForm, W: Writer>: ReaderUser {
        let loop: Loop<Form>
        let writer: W

        func use<R: Reader>(_ reader: R) {
            let (form, packed, output, writer) = (loop.form, loop.packed, loop.output, writer)
            loop.program.add(
                loop.name, slices: form.slices, together: form.together, scratch: form.scratchCount
            ) { slices, scratch in
                form.run(
                    slices: slices, reader: reader, packed: packed.pointer, writer: writer,
                    output: output.pointer, scratch: scratch)
            }
        }
    }
}
