import TSimCNEKernels

/// The course of the learning rate over a stage.
public struct Schedule: Sendable, Equatable {
    /// What follows the warm-up.
    public enum Shape: Sendable {
        /// Half a cosine, to 0.
        case cosine
        case constant
        /// A straight line, to 0.
        case linear
        /// Half a cosine from peak / 25 to the peak as warm-up, then half a cosine to peak / 250,000 (Smith
        /// and Topin 2019; the defaults of PyTorch's OneCycleLR).
        case oneCycle
    }

    public enum Step: Sendable, Equatable {
        /// The rate changes with each batch; `warmup` is a fraction of the stage's steps.
        case batch(warmup: Double)
        /// The reference's schedule: the rate changes with each epoch, `warmup` in epochs; a warmed-up stage
        /// begins with 0.
        case epoch(warmup: Int)
    }

    public var shape: Shape
    public var step: Step

    public init(_ step: Step, shape: Shape = .cosine) {
        self.shape = shape
        self.step = step
    }

    /// The learning rate where `progress` of a stage's `steps` are behind; a fraction where the stage was
    /// stretched or shortened.
    public func rate(peak: Double, progress: Double, steps: Int, stepsPerEpoch: Int) -> Double {
        switch step {
        case .batch(let warmup):
            let total = Double(steps)
            let rising = (warmup * total).rounded(.down)
            // Between two whole steps, where a stage was stretched, the rate must not pass the peak.
            if progress < rising { return peak * rise(min(1, (progress + 1) / rising)) }
            return peak * fall(min(1, (progress - rising) / max(1, total - rising)))
        case .epoch(let warmup):
            let epochs = (steps + stepsPerEpoch - 1) / stepsPerEpoch
            let epoch = min(Int(progress) / stepsPerEpoch, epochs - 1)
            return rate(peak: peak, epoch: epoch, of: epochs, warmup: warmup)
        }
    }

    /// linspace(0, peak, warmup), then D = max(0, 1 + epochs - warmup) entries of the shape; for the cosine
    /// ½ · peak · (1 + cos(π k / D)).
    private func rate(peak: Double, epoch: Int, of epochs: Int, warmup: Int) -> Double {
        if epoch < warmup { return peak * rise(warmup > 1 ? Double(epoch) / Double(warmup - 1) : 0) }
        return peak * fall(Double(epoch - warmup) / Double(1 + epochs - warmup))
    }

    /// The share of the peak at `x` of the warm-up, from 0 to 1.
    private func rise(_ x: Double) -> Double {
        shape == .oneCycle ? 1 - (1 - 1.0 / 25) * Schedule.halfCosine(x) : x
    }

    /// The share of the peak at `x` of what follows, from 0 to 1.
    private func fall(_ x: Double) -> Double {
        switch shape {
        case .cosine: return Schedule.halfCosine(x)
        case .constant: return 1
        case .linear: return 1 - x
        case .oneCycle: return 4e-6 + (1 - 4e-6) * Schedule.halfCosine(x)
        }
    }

    private static func halfCosine(_ x: Double) -> Double { 0.5 * (1 + Elementary.cosine(turns: x / 2)) }
}
