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

    public init(
        program: Program, workspace: Workspace, usesBatchStatistics: Bool, keepsInputs: Bool,
        remakesOutputs: Bool = false
    ) {
        program.keepAlive(workspace)
        self.program = program
        self.workspace = workspace
        self.usesBatchStatistics = usesBatchStatistics
        self.keepsInputs = keepsInputs
        self.remakesOutputs = remakesOutputs
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

    /// Appends the forward pass and returns where its result will be. The input's memory is kept.
    func forward(_ input: Tensor, _ pass: Pass) -> Tensor

    /// Appends the backward pass of the forward pass written last, given where the gradient with
    /// respect to the output will be; takes over its memory.
    ///
    /// - Returns: where the gradient with respect to the input will be, if wanted.
    func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor?
}
