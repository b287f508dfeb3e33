/// The part of a network from images to features, which the projection head reads.
protocol Backbone: Layer {
    /// Channels of the features.
    var features: Int { get }
    /// Channels of the wide plane.
    var wideChannels: Int { get }
    /// Appends the forward pass; `sees` appends what reads the wide plane, (B, H, W, C), which is the last layer
    /// with a stride's input, or the last plane of a backbone whose planes do not shrink.
    func forward(_ input: Tensor, _ pass: Pass, sees: (Tensor) -> Void) -> Tensor
    /// Whether a step of so many views would keep more for the backward pass than is worth its memory.
    func keepsMuch(views: Int, height: Int, width: Int) -> Bool
}

extension Backbone {
    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor { forward(input, pass) { _ in } }
}

/// The backbone for images that are feature vectors already: only the head is trained.
public final class IdentityBackbone: Backbone {
    public let features: Int
    public init(features: Int) { self.features = features }

    var wideChannels: Int { features }

    func keepsMuch(views: Int, height: Int, width: Int) -> Bool { false }

    func forward(_ input: Tensor, _ pass: Pass, sees: (Tensor) -> Void) -> Tensor {
        sees(input)
        return input
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? { gradient }
}
