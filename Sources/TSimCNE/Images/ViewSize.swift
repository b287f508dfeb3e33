/// The size in which views are made: the image's, or a smaller one, in which a network trains faster.
///
/// A view is rendered `factor` times as large, at least as large as the image, and averaged: a crop is never
/// made smaller by interpolation, which would want an antialiasing filter.
public struct ViewSize: Equatable, Sendable {
    public let height: Int
    public let width: Int
    let factor: Int

    public init(height: Int, width: Int, ofImage image: (height: Int, width: Int)) {
        self.height = height
        self.width = width
        func times(_ size: Int, _ view: Int) -> Int { (size + view - 1) / view }
        factor = max(times(image.height, height), times(image.width, width))
    }

    /// Floats of scratch for one view.
    func scratchCount(channels: Int) -> Int {
        Augmentation.scratchCount(height: factor * height, width: factor * width, channels: channels)
    }
}
