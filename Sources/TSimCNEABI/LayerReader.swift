import CTSimCNE
import TSimCNE

private let table = NumberTable("layer")

/// A backbone's layers, from the flat list in which a residual's follow it until ``TSIMCNE_LAYER_END``.
struct LayerReader {
    private let layers: UnsafePointer<tsimcne_layer>
    private let count: Int
    private var index = 0
    private var names: Set<String> = []
    /// Number of weights of the layers that were read.
    private(set) var weights = 0

    /// How deep residuals may lie within residuals.
    private static let deepest = 16

    init(_ config: tsimcne_model_config) throws {
        try check(config.layer_count, in: 1...Int32(TSIMCNE_MOST_LAYERS), "config.layer_count")
        layers = try required(config.layers, "config.layers")
        count = Int(config.layer_count)
    }

    /// What a list of layers makes of a plane.
    private struct Plane: Equatable {
        var channels: Int
        /// Product of all strides, which alone decides how large the plane is.
        var stride = 1
    }

    mutating func read(channels: Int) throws -> [NamedLayer] {
        var plane = Plane(channels: channels)
        return try list(&plane, depth: 0).layers
    }

    /// Layers until what ends them, which has been read.
    private mutating func list(
        _ plane: inout Plane, depth: Int
    ) throws -> (layers: [NamedLayer], end: Int32?) {
        var result: [NamedLayer] = []
        while index < count {
            let at = "config.layers[\(index)]"
            let layer = try structure(layers + index, at, \.struct_size)
            index += 1
            if [Int32(TSIMCNE_LAYER_SHORTCUT), Int32(TSIMCNE_LAYER_END)].contains(layer.kind) {
                guard depth > 0 else { throw Failure.argument("\(at).kind: got an end, want a layer") }
                guard !result.isEmpty else {
                    throw Failure.argument("\(at).kind: got the end of no layers, want at least one")
                }
                return (result, layer.kind)
            }
            result.append(NamedLayer(try name(layer, at), try description(layer, &plane, at, depth: depth)))
        }
        guard depth == 0 else {
            throw Failure.argument("config.layer_count: got \(count), but a residual has no end")
        }
        return (result, nil)
    }

    private mutating func name(_ layer: tsimcne_layer, _ at: String) throws -> String {
        let start = try required(layer.name, "\(at).name")
        var bytes: [UInt8] = []
        while bytes.count <= 200, start[bytes.count] != 0 {
            bytes.append(UInt8(bitPattern: start[bytes.count]))
        }
        let allowed = bytes.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                return true
            default: return false
            }
        }
        guard allowed, 1...200 ~= bytes.count else {
            throw Failure.argument("\(at).name: want 1 to 200 letters, digits, '.', '_' or '-'")
        }
        let name = String(decoding: bytes, as: UTF8.self)
        guard names.insert(name).inserted else {
            throw Failure.argument("\(at).name: got '\(name)' for a second time")
        }
        return name
    }

    private mutating func description(
        _ layer: tsimcne_layer, _ plane: inout Plane, _ at: String, depth: Int
    ) throws -> LayerDescription {
        switch Int(layer.kind) {
        case TSIMCNE_LAYER_CONVOLUTION:
            let (kernel, stride) = try window(layer, &plane, at)
            let outputs = try channels(layer, at)
            weights += kernel * kernel * plane.channels * outputs
            plane.channels = outputs
            return .convolution(
                channels: outputs, kernel: kernel, stride: stride, hasBias: layer.has_bias != 0)
        case TSIMCNE_LAYER_DEPTHWISE:
            try check(layer.stride, in: 1...2, "\(at).stride")
            let (kernel, stride) = try window(layer, &plane, at)
            weights += kernel * kernel * plane.channels
            return .depthwise(kernel: kernel, stride: stride)
        case TSIMCNE_LAYER_BATCH_NORM:
            try table.check(layer, only: ["epsilon", "momentum"], at)
            return .batchNormalization(epsilon: layer.epsilon, momentum: layer.momentum)
        case TSIMCNE_LAYER_NONLINEARITY: return .nonlinearity(try function(layer.function, "\(at).function"))
        case TSIMCNE_LAYER_MAX_POOLING:
            let (kernel, stride) = try window(layer, &plane, at)
            return .maxPooling(kernel: kernel, stride: stride)
        case TSIMCNE_LAYER_SQUEEZE_EXCITATION:
            let between = try channels(layer, at)
            weights += 2 * between * plane.channels
            return .squeezeExcitation(
                channels: between, inner: try function(layer.function, "\(at).function"),
                gate: try function(layer.gate, "\(at).gate"))
        case TSIMCNE_LAYER_RESIDUAL: return try residual(layer, &plane, at, depth: depth)
        default:
            throw Failure.argument("\(at).kind: got \(layer.kind), want 0 to \(TSIMCNE_LAYER_END)")
        }
    }

    private mutating func residual(
        _ layer: tsimcne_layer, _ plane: inout Plane, _ at: String, depth: Int
    ) throws -> LayerDescription {
        try table.check(layer, only: ["drop"], at)
        guard depth < LayerReader.deepest else {
            throw Failure.argument("\(at): is the residual of more than \(LayerReader.deepest) others")
        }
        var side = plane
        let (body, end) = try list(&plane, depth: depth + 1)
        var shortcut: [NamedLayer] = []
        if end == Int32(TSIMCNE_LAYER_SHORTCUT) {
            let last: Int32?
            (shortcut, last) = try list(&side, depth: depth + 1)
            guard last == Int32(TSIMCNE_LAYER_END) else {
                throw Failure.argument("\(at): has two shortcuts, want one")
            }
        }
        guard side == plane else {
            throw Failure.argument(
                "\(at): its layers make \(plane.channels) channels at stride \(plane.stride), what they are added to "
                    + "has \(side.channels) at stride \(side.stride); want the same")
        }
        return .residual(body, shortcut: shortcut, drop: layer.drop)
    }

    private func channels(_ layer: tsimcne_layer, _ at: String) throws -> Int {
        try table.check(layer, only: ["channels"], at)
        return Int(layer.channels)
    }

    private func window(
        _ layer: tsimcne_layer, _ plane: inout Plane, _ at: String
    ) throws -> (kernel: Int, stride: Int) {
        try table.check(layer, only: ["kernel", "stride"], at)
        guard layer.kernel % 2 == 1 else {
            throw Failure.argument("\(at).kernel: got \(layer.kernel), want an odd number")
        }
        // Planes are no larger than 1024 pixels; after so much they are of one.
        plane.stride = min(1 << 20, plane.stride * Int(layer.stride))
        return (Int(layer.kernel), Int(layer.stride))
    }

    private func function(_ value: Int32, _ name: String) throws -> Nonlinearity.Function {
        let all = Nonlinearity.Function.allCases
        try check(value, in: 0...Int32(all.count - 1), name)
        return all[Int(value)]
    }
}
