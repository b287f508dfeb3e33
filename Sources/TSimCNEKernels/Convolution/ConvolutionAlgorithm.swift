/// How a convolution's three passes are computed. The choice depends on one image's shape only, so that an
/// image's bits do not depend on its batch.
enum ConvolutionAlgorithm: Equatable, Sendable {
    /// As it is defined.
    case direct
    /// Winograd's form with tiles of so many outputs a side: 3 or 4 at stride 1, 2 to 4 at stride 2.
    case winograd(tile: Int)
    /// Winograd's form at stride 1 in which the whole plane, of 2×2 or 3×3 pixels, is a tile.
    case wholePlane

    /// Those that are right for a geometry.
    static func all(for geometry: ConvolutionGeometry) -> [ConvolutionAlgorithm] {
        guard geometry.kernel == 3, geometry.input.channels % 16 == 0, geometry.outputChannels % 16 == 0
        else { return [.direct] }
        if geometry.stride == 2 { return [.direct] + [4, 3, 2].map { .winograd(tile: $0) } }
        let plane = geometry.input
        let isTile = plane.height == plane.width && (2...3).contains(plane.height)
        return [.direct, .winograd(tile: 4), .winograd(tile: 3)] + (isTile ? [.wholePlane] : [])
    }

    /// The one with the fewest multiplications, where that is worth the transforms.
    static func chosen(for geometry: ConvolutionGeometry) -> ConvolutionAlgorithm {
        let all = all(for: geometry)
        if all.contains(.wholePlane) { return .wholePlane }
        // Transforms take their time, and smaller tiles more of them: a tenth must be saved at least.
        guard var best = all.dropFirst().first else { return .direct }
        for other in all.dropFirst(2)
        where 10 * other.products(for: geometry) < 9 * best.products(for: geometry) {
            best = other
        }
        let serves =
            geometry.stride == 1
            ? min(geometry.input.height, geometry.input.width) >= 3
            : 4 * best.products(for: geometry) <= 3 * ConvolutionAlgorithm.direct.products(for: geometry)
        return serves ? best : .direct
    }

    /// Multiplications for one image, input channel and output channel.
    func products(for geometry: ConvolutionGeometry) -> Int {
        let output = geometry.output
        switch self {
        case .direct: return geometry.kernel * geometry.kernel * output.height * output.width
        case .wholePlane: return (output.height + 1) * (output.width + 1)
        case .winograd(let tile):
            let tiles = (output.height + tile - 1) / tile * ((output.width + tile - 1) / tile)
            let frequencies = geometry.stride == 1 ? tile + 2 : 2 * tile + 1
            return tiles * frequencies * frequencies
        }
    }
}
