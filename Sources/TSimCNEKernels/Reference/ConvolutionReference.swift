/// Convolution as its definition says, in double precision: the oracle of the tests.
public struct ConvolutionReference {
    public let geometry: ConvolutionGeometry

    public init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

    /// Calls `body(output index, input index, weight index)` for every product.
    private func forEachProduct(_ body: (Int, Int, Int) -> Void) {
        let (input, output) = (geometry.input, geometry.output)
        for image in 0..<output.images {
            for y in 0..<output.height {
                for x in 0..<output.width {
                    for tap in 0..<geometry.kernel * geometry.kernel {
                        let row = y * geometry.stride + tap / geometry.kernel - geometry.padding
                        let column = x * geometry.stride + tap % geometry.kernel - geometry.padding
                        guard (0..<input.height).contains(row), (0..<input.width).contains(column) else {
                            continue
                        }
                        for c in 0..<input.channels {
                            for k in 0..<output.channels {
                                body(
                                    ((image * output.height + y) * output.width + x) * output.channels + k,
                                    ((image * input.height + row) * input.width + column) * input.channels
                                        + c,
                                    (tap * input.channels + c) * output.channels + k)
                            }
                        }
                    }
                }
            }
        }
    }

    public func forward(input: [Double], weight: [Double]) -> [Double] {
        var output = [Double](repeating: 0, count: geometry.output.count)
        forEachProduct { output[$0] += input[$1] * weight[$2] }
        return output
    }

    public func inputGradient(outputGradient: [Double], weight: [Double]) -> [Double] {
        var gradient = [Double](repeating: 0, count: geometry.input.count)
        forEachProduct { gradient[$1] += outputGradient[$0] * weight[$2] }
        return gradient
    }

    public func weightGradient(input: [Double], outputGradient: [Double]) -> [Double] {
        var gradient = [Double](repeating: 0, count: geometry.weightCount)
        forEachProduct { gradient[$2] += outputGradient[$0] * input[$1] }
        return gradient
    }
}
