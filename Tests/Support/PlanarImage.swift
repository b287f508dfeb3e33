import TSimCNEKernels

/// An image in planes, from and to values that lie side by side.
public struct PlanarImage {
    public let planes: Planes
    private let levels: Levels
    private let memory: AlignedBuffer

    /// - Parameter values: the values in levels, channels side by side.
    public init(_ values: [Float], height: Int, width: Int, channels: Int, _ levels: Levels) {
        memory = AlignedBuffer(count: Planes.count(height: height, width: width, channels: channels))
        planes = Planes(memory.pointer, height: height, width: width, channels: channels)
        self.levels = levels
        func identity(_ count: Int) -> [Tap] {
            (0..<count).map { Tap(first: $0, second: $0, firstWeight: 1, secondWeight: 0) }
        }
        interpolate(
            values, top: 0, left: 0, height: height, width: width, columns: identity(width),
            rows: identity(height))
    }

    /// Fills the planes with a part of an image of the same size.
    public func interpolate(
        _ values: [Float], top: Int, left: Int, height: Int, width: Int, columns: [Tap], rows: [Tap]
    ) {
        let scratch = AlignedBuffer(
            count: Interpolation.scratchCount(
                height: planes.height, width: planes.width, channels: planes.channels))
        let line = planes.width * planes.channels
        func fill(_ stored: UnsafeRawBufferPointer, size: Int) {
            let offset = (top * line + left * planes.channels) * size
            planes.interpolate(
                ImagePart(origin: stored.baseAddress! + offset, stride: line, height: height, width: width),
                columns: columns, rows: rows, levels: levels, scratch: scratch.pointer)
        }
        switch levels {
        case .bytes: values.map { UInt8($0) }.withUnsafeBytes { fill($0, size: 1) }
        case .unit: values.withUnsafeBytes { fill($0, size: 4) }
        }
    }

    /// The values in levels.
    public var values: [Float] {
        var output = [Float](repeating: 0, count: planes.pixels * planes.channels)
        withExtendedLifetime(memory) { planes.interleave(into: &output, levels) }
        return levels == .bytes ? output.map { ($0 * 255).rounded() } : output
    }
}
