import Glibc

/// Cosine annealing with linear warm-up.
public enum Schedule: Sendable, Equatable {
    /// Stepped with each batch; `warmup` is a fraction of the stage's steps.
    case batch(warmup: Double)
    /// The reference's: stepped with each epoch, `warmup` in epochs; a warmed-up stage begins with 0.
    case epoch(warmup: Int)

    /// The learning rate at a step of a stage.
    public func rate(peak: Double, epoch: Int, epochs: Int, step: Int, stepsPerEpoch: Int) -> Double {
        switch self {
        case .batch(let warmup):
            let total = Double(epochs * stepsPerEpoch)
            let position = Double(epoch * stepsPerEpoch + step)
            let rising = (warmup * total).rounded(.down)
            if position < rising { return peak * (position + 1) / rising }
            return 0.5 * peak * (1 + cos(.pi * (position - rising) / max(1, total - rising)))
        case .epoch(let warmup):
            return Schedule.epochTable(peak: peak, epochs: epochs, warmup: warmup)[epoch]
        }
    }

    /// linspace(0, peak, warmup), then ½ · peak · (1 + cos(π k / D)) with D = max(0, 1 + epochs - warmup)
    /// entries; one entry an epoch.
    public static func epochTable(peak: Double, epochs: Int, warmup: Int) -> [Double] {
        let rising = (0..<warmup).map { warmup > 1 ? peak * Double($0) / Double(warmup - 1) : 0 }
        let falling = max(0, 1 + epochs - warmup)
        let table = rising + (0..<falling).map { 0.5 * peak * (1 + cos(.pi * Double($0) / Double(falling))) }
        return Array(table.prefix(epochs))
    }
}
