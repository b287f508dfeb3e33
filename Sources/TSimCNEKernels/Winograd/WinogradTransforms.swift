/// One axis of a fast convolution: matrices A, G and B for which, with inputs d, weights g and outputs y
/// of a tile,
///
///     y = Aᵀ [(G g) ⊙ (Bᵀ d)]
///
/// (docs/derivations/winograd.md). Both axes of a tile are transformed with the same matrices, one after
/// the other. Values come and go through closures, so that they may lie in memory in any way; these have
/// to be `@inline(__always)` functions, and kernels are compiled for each kind of transforms.
protocol WinogradTransforms: Sendable {
    /// The transform Bᵀ of inputs.
    associatedtype Input: AxisAnalysis
    /// Length of y.
    static var outputs: Int { get }
    /// Products: rows of Bᵀ.
    static var frequencies: Int { get }
    /// How many of these, the last ones, are taken with the last weight.
    static var shared: Int { get }

    /// Aᵀ m. The result may be in place: m(i) is taken before y(i) is given.
    static func output(_ m: (Int) -> Lanes, _ y: (Int, Lanes) -> Void)
    /// G g, without the repetitions of the last weight.
    static func weight(_ g: (Int) -> Lanes, _ u: (Int, Lanes) -> Void)
}

extension WinogradTransforms {
    /// Number of transformed weights of an axis.
    @inline(__always) static var weights: Int { frequencies &- shared &+ 1 }
    /// Matrices (in, out) of transformed weights, for both axes.
    @inline(__always) static var matrices: Int { weights &* weights }
}

/// Transforms whose transposes give the gradient with respect to the weights.
protocol WinogradGradientTransforms: WinogradTransforms {
    /// The transform A of the outputs' gradients.
    associatedtype OutputGradient: AxisAnalysis
    /// Gᵀ u.
    static func weightGradient(_ u: (Int) -> Lanes, _ g: (Int, Lanes) -> Void)
}

/// A way from values of an axis to its frequencies.
protocol AxisAnalysis {
    /// Values of a tile, and how far the next tile's lie from them.
    static var values: Int { get }
    static var step: Int { get }
    /// Values of the first tile that lie before the plane.
    static var padding: Int { get }
    static func transform(_ d: (Int) -> Lanes, _ v: (Int, Lanes) -> Void)
}
