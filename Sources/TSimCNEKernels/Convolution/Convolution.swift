/// A convolution's passes as operations of a program.
///
/// Layers know nothing of the form, a `ConvolutionAlgorithm`: Winograd's for 3×3 with whole vectors of
/// channels where it saves work, else the direct one, which reads neighbourhoods in place as rows of a
/// matrix product. What comes before and after a pass is given as an ``Input`` and a
/// sink, and done while values are in registers or in the cache.
public struct Convolution: Sendable {
    public let geometry: ConvolutionGeometry
    let algorithm: ConvolutionAlgorithm
    /// Of the products in Winograd's forms: the direct one is always of single precision.
    let precision: Precision

    public init(_ geometry: ConvolutionGeometry, precision: Precision = .single) {
        self.init(geometry, ConvolutionAlgorithm.chosen(for: geometry), precision: precision)
    }

    init(_ geometry: ConvolutionGeometry, _ algorithm: ConvolutionAlgorithm, precision: Precision = .single) {
        self.geometry = geometry
        self.algorithm = algorithm
        self.precision = precision
    }

    /// Whether outputs may be of less than single precision: where each is stored once, and nothing adds to it.
    public var storesShortNumbers: Bool { algorithm != .direct }

    /// What is convolved: a tensor, with what is made of its values before they are used.
    public enum Input {
        case plain(Tensor)
        case activated(Tensor, Activation)

        func read(by user: some ReaderUser, _ program: Program) {
            switch self {
            case .plain(let tensor):
                program.keepAlive(tensor)
                user.use(tensor)
            case .activated(let tensor, let activation):
                program.keepAlive(tensor)
                user.use(activation, of: tensor)
            }
        }
    }

    /// The gradient with respect to what a convolution has made.
    public enum OutputGradient {
        case plain(Tensor)
        /// Through the normalisation that came next, whose input's memory may be overwritten.
        case normalized(NormalizedGradient)

        func read(by user: some ReaderUser, _ program: Program) {
            switch self {
            case .plain(let tensor):
                program.keepAlive(tensor)
                user.use(tensor)
            case .normalized(let gradient):
                program.keepAlive(gradient.gradient)
                program.keepAlive(gradient.input)
                user.use(gradient)
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
        case tilesOfFour(WinogradConvolution<UnitStrideTransforms>)
        case tilesOfThree(WinogradConvolution<ThreeOutputTransforms>)
        case planeOfTwo(WinogradConvolution<PlaneOfTwoTransforms>)
        case planeOfThree(WinogradConvolution<PlaneOfThreeTransforms>)
        case stridedFour(WinogradConvolution<StrideTwoTransforms<PairsOfFour>>)
        case stridedThree(WinogradConvolution<StrideTwoTransforms<PairsOfThree>>)
        case stridedTwo(WinogradConvolution<StrideTwoTransforms<PairsOfTwo>>)
        case direct(DirectConvolution)
    }

    private var forwardForm: ForwardForm {
        func winograd<T>() -> WinogradConvolution<T> {
            WinogradConvolution(
                input: geometry.input, output: geometry.output, turned: false, precision: precision)
        }
        switch (algorithm, geometry.stride) {
        case (.direct, _): return .direct(DirectConvolution(geometry, turned: false))
        case (.wholePlane, _):
            return geometry.input.height == 2 ? .planeOfTwo(winograd()) : .planeOfThree(winograd())
        case (.winograd(4), 1): return .tilesOfFour(winograd())
        case (.winograd, 1): return .tilesOfThree(winograd())
        case (.winograd(4), _): return .stridedFour(winograd())
        case (.winograd(3), _): return .stridedThree(winograd())
        case (.winograd, _): return .stridedTwo(winograd())
        }
    }

    public var forwardSlicing: Slicing {
        switch forwardForm {
        case .tilesOfFour(let form): Slicing(form)
        case .tilesOfThree(let form): Slicing(form)
        case .planeOfTwo(let form): Slicing(form)
        case .planeOfThree(let form): Slicing(form)
        case .stridedFour(let form): Slicing(form)
        case .stridedThree(let form): Slicing(form)
        case .stridedTwo(let form): Slicing(form)
        case .direct(let form): Slicing(form)
        }
    }

    /// output = convolution of the source with weight (kernel row, kernel column, in, out).
    public func forward(
        _ program: Program, name: String, workspace: Workspace, source: Input, weight: AlignedBuffer,
        output: Tensor, sink: Sink = .plain
    ) {
        func add<Form: ConvolutionForm>(_ form: Form) {
            let loop = Loop(program, "\(name) forward", workspace, form, weight: weight, output: output)
            switch sink {
            case .plain: loop.add(source, PlainWriter())
            case .statistics(let sums):
                switch output.precision {
                case .single: loop.add(source, StatisticsWriter<StoredSingle>(sums: sums))
                case .bfloat16: loop.add(source, StatisticsWriter<StoredBFloat16>(sums: sums))
                }
            case .affine(let writer): loop.add(source, writer)
            }
            workspace.release(loop.packed)
        }
        program.keepAlive(workspace)
        switch forwardForm {
        case .tilesOfFour(let form): add(form)
        case .tilesOfThree(let form): add(form)
        case .planeOfTwo(let form): add(form)
        case .planeOfThree(let form): add(form)
        case .stridedFour(let form): add(form)
        case .stridedThree(let form): add(form)
        case .stridedTwo(let form): add(form)
        case .direct(let form): add(form)
        }
    }
}
