/// One stage of training (Böhm et al. 2023, section 4): its length, its objective and what it changes.
public struct Stage: Sendable {
    public enum OutputStart: Sendable, Equatable {
        /// The layer stays.
        case keep
        /// A new layer, weights N(0, deviation²), default bias.
        case normal(deviation: Float)
        /// The old layer's outputs, projected on their principal components and scaled to a
        /// root-mean-square radius.
        case principal(radius: Float)
    }

    public enum Trained: Sendable {
        case all
        /// All else is frozen: no gradient, decay or momentum; BatchNorm still uses and follows batches.
        case outputLayer
    }

    public var epochs: Int
    public var outputs: Int
    public var outputStart: OutputStart
    public var trained: Trained
    public var metric: Metric
    public var temperature: Float
    public var learningRate: Double
    public var schedule: Schedule
    public var optimizer: SGD

    public init(
        epochs: Int, outputs: Int, outputStart: OutputStart, trained: Trained, metric: Metric,
        temperature: Float, learningRate: Double, schedule: Schedule, optimizer: SGD
    ) {
        self.epochs = epochs
        self.outputs = outputs
        self.outputStart = outputStart
        self.trained = trained
        self.metric = metric
        self.temperature = temperature
        self.learningRate = learningRate
        self.schedule = schedule
        self.optimizer = optimizer
    }
}
