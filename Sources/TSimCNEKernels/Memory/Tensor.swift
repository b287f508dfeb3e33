/// The shape of an NHWC tensor: images (B), rows (H), columns (W), channels (C).
///
/// A matrix of B rows and C columns has H = W = 1.
public struct Shape: Equatable, Hashable, Sendable {
    public var images: Int
    public var height: Int
    public var width: Int
    public var channels: Int

    public init(_ images: Int, _ height: Int, _ width: Int, _ channels: Int) {
        self.images = images
        self.height = height
        self.width = width
        self.channels = channels
    }

    /// The shape of a matrix.
    public init(rows: Int, columns: Int) { self.init(rows, 1, 1, columns) }

    /// Places that a channel has in all images.
    public var positions: Int { images * height * width }
    public var count: Int { positions * channels }
}

/// Values in C order, in memory of its own or borrowed from a ``Workspace``.
public struct Tensor: @unchecked Sendable {
    public let shape: Shape
    /// Of the values as they are stored: `pointer` is to them only where it is single.
    public let precision: Precision
    public let pointer: UnsafeMutablePointer<Float>
    let owner: AlignedBuffer?

    /// A tensor of zeros with memory of its own.
    public init(_ shape: Shape) {
        let owner = AlignedBuffer(count: shape.count)
        self.shape = shape
        self.owner = owner
        precision = .single
        pointer = owner.pointer
    }

    /// A tensor in memory that somebody else keeps alive.
    init(_ shape: Shape, _ precision: Precision, borrowed pointer: UnsafeMutablePointer<Float>) {
        self.shape = shape
        self.precision = precision
        self.pointer = pointer
        owner = nil
    }

    public var count: Int { shape.count }

    /// A copy of the values, for tests and for exchange.
    public var values: [Float] {
        switch precision {
        case .single: Array(UnsafeBufferPointer(start: pointer, count: count))
        case .bfloat16:
            pointer.withMemoryRebound(to: UInt16.self, capacity: count) { halves in
                (0..<count).map { Float(bitPattern: UInt32(halves[$0]) << 16) }
            }
        }
    }

    public func copy(from values: [Float]) {
        precondition(values.count == count && precision == .single)
        values.withUnsafeBufferPointer { pointer.update(from: $0.baseAddress!, count: count) }
    }
}
