/// The part of a model that a stage of training changes.
public enum TrainedPart: Sendable {
    case all
    /// Everything else is frozen: it has no gradient, decay or momentum. BatchNorm still uses and follows the
    /// batches' statistics.
    case outputLayer
    /// The backbone is frozen in the same way.
    case head
}
