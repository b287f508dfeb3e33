/// Images in somebody else's memory: (count, height, width, channels), C-contiguous.
public struct ImageBatch: @unchecked Sendable {
    public enum Element: Sendable {
        /// Whole numbers 0…255, which stand for [0, 1].
        case uint8
        /// Numbers that are in [0, 1] already.
        case float32

        public var size: Int { self == .uint8 ? 1 : 4 }
        public var levels: Levels { self == .uint8 ? .bytes : .unit }
    }

    public let data: UnsafeRawPointer
    public let count: Int
    public let height: Int
    public let width: Int
    public let channels: Int
    public let element: Element

    public init(
        data: UnsafeRawPointer, count: Int, height: Int, width: Int, channels: Int, element: Element
    ) {
        self.data = data
        self.count = count
        self.height = height
        self.width = width
        self.channels = channels
        self.element = element
    }

    /// Values of one image.
    public var imageCount: Int { height * width * channels }

    /// The memory of image `index`.
    func address(of index: Int) -> UnsafeRawPointer { data + index * imageCount * element.size }

    /// Writes image `index` in [0, 1].
    public func copy(_ index: Int, into target: UnsafeMutablePointer<Float>) {
        switch element {
        case .uint8:
            let source = address(of: index).assumingMemoryBound(to: UInt8.self)
            for i in 0..<imageCount { target[i] = Float(source[i]) * (1 / 255) }
        case .float32:
            target.update(from: address(of: index).assumingMemoryBound(to: Float.self), count: imageCount)
        }
    }
}
