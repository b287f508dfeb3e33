/// A convolution's passes as operations of a program.
///
/// This is where the form is chosen from the shape; layers know nothing of it: Winograd's for 3×3 with
/// whole vectors of channels where it saves work, else the direct one, which reads neighbourhoods in
/// place as rows of a matrix product. What comes before and after a pass is given as a ``Source`` and a
/// sink, and done while values are in registers or in the cache.
public struct Convolution: Sendable {
    public let geometry: ConvolutionGeometry
    /// Whether all passes take Winograd's form.
    let isWinograd: Bool

    public init(_ geometry: ConvolutionGeometry) {
        self.init(geometry, isWinograd: Convolution.winogradServes(geometry))
    }

    init(_ geometry: ConvolutionGeometry, isWinograd: Bool) {
        self.geometry = geometry
        self.isWinograd = isWinograd
    }

    /// Whether Winograd's form is right, and worth it. The answer depends on one image's shape only, so
    /// that an image's bits do not depend on its batch.
    static func winogradServes(_ geometry: ConvolutionGeometry) -> Bool {
        guard winogradIsRight(geometry) else { return false }
        if geometry.stride == 1 { return min(geometry.input.height, geometry.input.width) >= 3 }
        // A tile of 4×4 outputs takes 81 multiplications, an output by itself 9: what is saved is lost where
        // more than a quarter of the tiles' outputs lies outside the plane.
        let output = geometry.output
        let tiles = (output.height + 3) / 4 * ((output.width + 3) / 4)
        return output.height * output.width >= 12 * tiles
    }

    /// Whether all passes can take Winograd's form.
    static func winogradIsRight(_ geometry: ConvolutionGeometry) -> Bool {
        geometry.kernel == 3 && geometry.input.channels % 16 == 0 && geometry.outputChannels % 16 == 0
    }

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

        fileprivate init<Form: ConvolutionForm>(_ form: Form) {
            count = form.slices
            positions = { form.positions(ofSlice: $0) }
        }
    }

    private enum ForwardForm {
        case unitStride(WinogradConvolution<UnitStrideTransforms>)
        case strideTwo(WinogradConvolution<StrideTwoTransforms>)
        case direct(DirectConvolution)
    }

    private var forwardForm: ForwardForm {
        let (input, output) = (geometry.input, geometry.output)
        switch (isWinograd, geometry.stride) {
        case (true, 1): return .unitStride(WinogradConvolution(input: input, output: output, turned: false))
        case (true, _): return .strideTwo(WinogradConvolution(input: input, output: output, turned: false))
        default: return .direct(DirectConvolution(geometry, turned: false))
        }
    }

    public var forwardSlicing: Slicing {
        switch forwardForm {
        case .unitStride(let form): Slicing(form)
        case .strideTwo(let form): Slicing(form)
        case .direct(let form): Slicing(form)
        }
    }

    /// output = convolution of the source with weight (kernel row, kernel column, in, out).
    public func forward(
        _ program: Program, name: String, workspace: Workspace, source: Source, weight: AlignedBuffer,
        output: Tensor, sink: Sink = .plain
    ) {
        func add<Form: ConvolutionForm>(_ form: Form) {
            let loop = Loop(program, "\(name) forward", workspace, form, weight: weight, output: output)
            switch sink {
            case .plain: loop.add(source, PlainWriter())
            case .statistics(let sums): loop.add(source, StatisticsWriter(sums: sums))
            case .affine(let writer): loop.add(source, writer)
            }
            workspace.release(loop.packed)
        }
        program.keepAlive(workspace)
        switch forwardForm {
        case .unitStride(let form): add(form)
        case .strideTwo(let form): add(form)
        case .direct(let form): add(form)
        }
    }
}
