/// An array of a model or trainer, in place.
public struct NamedArray {
    /// Kinds of arrays, in the order of `tsimcne.h`.
    public enum Kind: Int, CaseIterable, Sendable {
        case parameter, buffer, gradient, momentum, sums, embeddings, squares, average, neighbors, maxima,
            embeddingGradient, features
    }

    public let kind: Kind
    public let name: String
    public let shape: [Int]
    /// The values: Float32, but Float64 for sums and Int32 for neighbours.
    public let data: UnsafeMutableRawPointer
    public var count: Int { shape.reduce(1, *) }
}

extension Model {
    /// The model's parameters, then its running statistics.
    public var arrays: [NamedArray] {
        parameters.map {
            NamedArray(kind: .parameter, name: $0.name, shape: $0.shape, data: $0.value.pointer)
        }
            + normalizations.flatMap { layer in
                layer.runningStatistics.map {
                    NamedArray(
                        kind: .buffer, name: $0.name, shape: [layer.channels], data: $0.value.pointer)
                }
            }
    }
}

extension Trainer {
    /// The model's arrays, the temperature's logarithm if it is trained, then gradients, momenta, sums and, where
    /// there are any, embeddings, what else the optimiser keeps, averages, neighbours and,
    /// while these are sought, features.
    public var arrays: [NamedArray] {
        var parameters = model.parameters
        var result = model.arrays
        if let temperature {
            parameters.append(temperature)
            result.append(
                NamedArray(
                    kind: .parameter, name: temperature.name, shape: temperature.shape,
                    data: temperature.value.pointer))
        }
        result += parameters.map {
            NamedArray(kind: .gradient, name: $0.name, shape: $0.shape, data: $0.gradient.pointer)
        }
        result += parameters.map {
            NamedArray(kind: .momentum, name: $0.name, shape: $0.shape, data: $0.momentum.pointer)
        }
        result += model.normalizations.map {
            NamedArray(kind: .sums, name: $0.name, shape: [$0.sumCount], data: $0.sums)
        }
        if let embeddings {
            result.append(
                NamedArray(
                    kind: .embeddings, name: "embeddings",
                    shape: [embeddings.shape.images, embeddings.shape.channels], data: embeddings.pointer))
        }
        for kind in NamedArray.Kind.allCases {
            result += parameters.compactMap { parameter in
                parameter.state[kind].map {
                    NamedArray(kind: kind, name: parameter.name, shape: parameter.shape, data: $0.pointer)
                }
            }
        }
        result += averages.map {
            NamedArray(kind: .average, name: $0.name, shape: $0.shape, data: $0.average.pointer)
        }
        if let search {
            result.append(
                NamedArray(
                    kind: .features, name: "features", shape: [search.neighbors.images, model.features],
                    data: search.features.pointer))
        }
        if let neighbors = search?.neighbors ?? neighbors {
            result.append(
                NamedArray(
                    kind: .neighbors, name: "neighbors", shape: [neighbors.images, neighbors.count],
                    data: neighbors.table))
        }
        if let embeddingGradient {
            result.append(
                NamedArray(
                    kind: .embeddingGradient, name: "embeddings",
                    shape: [embeddingGradient.shape.images, embeddingGradient.shape.channels],
                    data: embeddingGradient.pointer))
        }
        return result
    }

    public func arrayIndex(_ kind: NamedArray.Kind, _ name: String) -> Int? {
        arrays.firstIndex { $0.kind == kind && $0.name == name }
    }
}
