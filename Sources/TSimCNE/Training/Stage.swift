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
        /// The layer stays, moved and scaled so that its outputs have a root-mean-square radius about 0:
        /// the bridge from a cosine stage, which leaves the scale free, to a Cauchy one.
        case scaled(radius: Float)
    }

    /// What the stage's views are, where they are not as the source says.
    public struct Views: Sendable {
        /// The views' size, where it is smaller than the images'.
        public var size: ViewSize?
        public var augmentation: Augmentation?

        public init(size: ViewSize? = nil, augmentation: Augmentation? = nil) {
            self.size = size
            self.augmentation = augmentation
        }
    }

    /// What changes from one epoch of the stage as it was written to the next; after the last value all stays.
    public struct Annealing: Sendable {
        /// Falling output dimensions, the last of them the stage's: the layer loses its last outputs. Empty where
        /// it keeps them.
        public var outputs: [Int]
        /// Degrees of freedom of ``Metric/studentT``. Empty where they stay.
        public var degrees: [Float]

        public init(outputs: [Int] = [], degrees: [Float] = []) {
            self.outputs = outputs
            self.degrees = degrees
        }
    }

    /// Optimiser steps; an epoch has ``Trainer/stepsPerEpoch``, and the last one may be cut short.
    public var steps: Int
    /// Output dimension at the stage's end.
    public var outputs: Int
    public var outputStart: OutputStart
    public var trained: TrainedPart
    public var metric: Metric
    public var temperature: Float
    /// Degrees of freedom of ``Metric/studentT``.
    public var degrees: Float
    /// The share of the learning rate with which the temperature's logarithm is trained; 0 where it stays.
    public var temperatureRate: Double
    public var annealing: Annealing
    public var learningRate: Double
    public var schedule: Schedule
    public var optimizer: any Optimizer
    public var views: Views
    /// Number of nearest neighbours. Where it is not 0, every view but the first is of one of so many nearest
    /// neighbours of the image, in the features at the stage's beginning: the map then keeps the
    /// neighbourhoods of the features, as t-SNE's does.
    public var neighbors: Int
    /// Whether views are the images' features, found together with the neighbours: with ``neighbors`` and
    /// without the backbone; hundreds of times as many steps a second.
    public var readsFeatures: Bool

    public init(
        steps: Int, outputs: Int, outputStart: OutputStart, trained: TrainedPart, metric: Metric,
        temperature: Float, degrees: Float = 1, temperatureRate: Double = 0,
        annealing: Annealing = Annealing(), learningRate: Double, schedule: Schedule,
        optimizer: any Optimizer, views: Views = Views(), neighbors: Int = 0, readsFeatures: Bool = false
    ) {
        self.steps = steps
        self.outputs = outputs
        self.outputStart = outputStart
        self.trained = trained
        self.metric = metric
        self.temperature = temperature
        self.degrees = degrees
        self.temperatureRate = temperatureRate
        self.annealing = annealing
        self.learningRate = learningRate
        self.schedule = schedule
        self.optimizer = optimizer
        self.views = views
        self.neighbors = neighbors
        self.readsFeatures = readsFeatures
    }

    /// Outputs in an epoch, and degrees of freedom.
    public func outputs(inEpoch epoch: Int) -> Int { value(annealing.outputs, epoch) ?? outputs }
    public func degrees(inEpoch epoch: Int) -> Float { value(annealing.degrees, epoch) ?? degrees }

    private func value<V>(_ course: [V], _ epoch: Int) -> V? {
        course.isEmpty ? nil : course[min(epoch, course.count - 1)]
    }
}
