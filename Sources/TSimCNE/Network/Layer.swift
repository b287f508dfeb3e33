/// What a layer writes its operations into.
public final class Pass {
    public let program: Program
    public let workspace: Workspace
    /// BatchNorm uses the batch's statistics (training) or the running ones (inference).
    public let usesBatchStatistics: Bool
    /// A backward pass will follow: inputs are kept for it.
    public let keepsInputs: Bool
    /// What one loop over memory makes from tensors that are kept is made again in the backward pass
    /// rather than kept: a third less memory, a thirtieth more time.
    public let remakesOutputs: Bool
    /// What is rounded in convolutions' products and in what they leave.
    public let precision: TrainingPrecision
    /// A number in [0, 1) for what a layer leaves to chance, by the row and by the layer's place among those
    /// that do so; nil where nothing is left to chance.
    public let chance: ((_ row: Int, _ place: Int) -> Double)?
    /// Layers so far that leave something to chance.
    var chanceCount = 0

    public init(
        program: Program, workspace: Workspace, usesBatchStatistics: Bool, keepsInputs: Bool,
        remakesOutputs: Bool = false, precision: TrainingPrecision = .single,
        chance: ((_ row: Int, _ place: Int) -> Double)? = nil
    ) {
        program.keepAlive(workspace)
        self.program = program
        self.workspace = workspace
        self.usesBatchStatistics = usesBatchStatistics
        self.keepsInputs = keepsInputs
        self.remakesOutputs = remakesOutputs
        self.precision = precision
        self.chance = chance
    }

    /// Where something made of a tensor is written: over it, unless a backward pass reads it or its numbers are
    /// shorter.
    func successor(of tensor: Tensor) -> Tensor {
        keepsInputs || tensor.precision != .single ? workspace.tensor(tensor.shape) : tensor
    }

    /// Lends the memory of a tensor that only a backward pass would still read.
    func releaseUnlessKept(_ tensor: Tensor) {
        if !keepsInputs { workspace.release(tensor) }
    }
}

/// A differentiable function with parameters; forward and backward are written, then run as often as
/// wanted.
public protocol Layer: AnyObject {
    var parameters: [Parameter] { get }
    /// Its batch normalisations, in the order of the parameters.
    var normalizations: [BatchNormalization] { get }

    /// Draws new weights from the next random numbers.
    func initialize(_ random: inout RandomNumbers)

    /// Appends the forward pass and returns where its result will be. The input's memory is kept.
    func forward(_ input: Tensor, _ pass: Pass) -> Tensor

    /// Appends the backward pass of the forward pass written last, given where the gradient with
    /// respect to the output will be; takes over its memory.
    ///
    /// - Returns: where the gradient with respect to the input will be, if wanted.
    func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor?
}

extension Layer {
    public var parameters: [Parameter] { [] }
    public var normalizations: [BatchNormalization] { [] }

    public func initialize(_ random: inout RandomNumbers) {}
}
