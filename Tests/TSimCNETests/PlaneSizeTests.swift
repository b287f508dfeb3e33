import Support
import TSimCNEKernels
import Testing

@testable import TSimCNE

/// Layers that look at a neighbourhood, on planes of all sizes up to nine pixels a side: also those that are
/// smaller than the kernel, and of which a stride leaves one pixel.
@Suite struct PlaneSizeTests {
    private struct Gradients {
        var output: [Double]
        var input: [Double]
        var weight: [Double]
    }

    private func forEachPlane(_ body: (_ height: Int, _ width: Int) -> Void) {
        for height in 1...9 {
            for width in 1...9 { body(height, width) }
        }
    }

    /// Passes of a layer with one parameter, or none, against what they are by definition.
    private func check(
        _ layer: any Layer, _ shape: Shape, _ name: String,
        definition: (_ x: [Double], _ weight: [Double], _ slope: ([Double]) -> [Double]) -> Gradients
    ) {
        let weight = layer.parameters.first.map { values($0.count, seed: 41) } ?? []
        for (i, value) in weight.enumerated() { layer.parameters[0].value.pointer[i] = value }
        let input = values(shape.count, seed: 31)
        let found = LayerTests.run(layer, shape, input) { values($0, seed: 32) }
        let wanted = definition(doubles(input), doubles(weight)) { doubles(values($0.count, seed: 32)) }
        #expect(relativeError(found.output, wanted.output) < 1e-5, "\(name), \(shape), output")
        #expect(relativeError(found.inputGradient, wanted.input) < 1e-5, "\(name), \(shape), input")
        guard let gradient = found.parameterGradients.first else { return }
        #expect(relativeError(gradient, wanted.weight) < 1e-5, "\(name), \(shape), weight")
    }

    private func convolution(
        _ geometry: ConvolutionGeometry, _ x: [Double], _ weight: [Double], _ slope: ([Double]) -> [Double]
    ) -> Gradients {
        let reference = ConvolutionReference(geometry)
        let output = reference.forward(input: x, weight: weight)
        let dy = slope(output)
        return Gradients(
            output: output, input: reference.inputGradient(outputGradient: dy, weight: weight),
            weight: reference.weightGradient(input: x, outputGradient: dy))
    }

    /// Channels that fill no vector, and more than four of them.
    @Test(arguments: [1, 3, 5, 7], [1, 2, 3])
    func depthwiseConvolution(kernel: Int, stride: Int) {
        forEachPlane { height, width in
            for channels in [3, 70] {
                let shape = Shape(2, height, width, channels)
                let layer = DepthwiseConvolutionLayer(
                    "conv", channels: channels, kernel: kernel, stride: stride)
                check(layer, shape, "kernel \(kernel), stride \(stride)") { x, weight, slope in
                    // A convolution of one channel each.
                    let geometry = ConvolutionGeometry(
                        input: Shape(2, height, width, 1), outputChannels: 1, kernel: kernel, stride: stride)
                    func channel(_ c: Int, of all: [Double]) -> [Double] {
                        Swift.stride(from: c, to: all.count, by: channels).map { all[$0] }
                    }
                    func together(_ parts: [[Double]]) -> [Double] {
                        parts[0].indices.flatMap { i in parts.map { $0[i] } }
                    }
                    let dy = slope([Double](repeating: 0, count: geometry.output.count * channels))
                    let parts = (0..<channels).map { c in
                        convolution(geometry, channel(c, of: x), channel(c, of: weight)) { _ in
                            channel(c, of: dy)
                        }
                    }
                    return Gradients(
                        output: together(parts.map(\.output)), input: together(parts.map(\.input)),
                        weight: together(parts.map(\.weight)))
                }
            }
        }
    }

    @Test(arguments: [1, 3, 5, 7], [1, 2, 3])
    func patchConvolution(kernel: Int, stride: Int) {
        forEachPlane { height, width in
            let shape = Shape(2, height, width, 3)
            let layer = PatchConvolution("conv", inputs: 3, outputs: 5, kernel: kernel, stride: stride)
            check(layer, shape, "kernel \(kernel), stride \(stride)") {
                convolution(
                    ConvolutionGeometry(input: shape, outputChannels: 5, kernel: kernel, stride: stride),
                    $0, $1, $2)
            }
        }
    }

    /// Channels that fill vectors, for Winograd's form, and that do not.
    @Test(arguments: [1, 3], [1, 2])
    func fusedConvolution(kernel: Int, stride: Int) {
        forEachPlane { height, width in
            for (inputs, outputs) in [(3, 5), (16, 16)] {
                let shape = Shape(2, height, width, inputs)
                let layer = ConvolutionLayer(
                    "conv", inputs: inputs, outputs: outputs, kernel: kernel, stride: stride)
                check(layer, shape, "kernel \(kernel), stride \(stride)") {
                    convolution(layer.convolution(of: shape).geometry, $0, $1, $2)
                }
            }
        }
    }

    @Test(arguments: [1, 3, 5, 7], [1, 2, 3])
    func maxPooling(kernel: Int, stride: Int) {
        forEachPlane { height, width in
            let shape = Shape(2, height, width, 1)
            func pooled(_ x: [Double]) -> [Double] {
                LayerReferences.maxPooling(x, shape, kernel: kernel, stride: stride)
            }
            let layer = MaxPooling(kernel: kernel, stride: stride)
            check(layer, shape, "kernel \(kernel), stride \(stride)") { x, _, slope in
                let output = pooled(x)
                let dy = slope(output)
                let dx = x.indices.map { i in
                    centralDifference(x, i) { zip(pooled($0), dy).reduce(0) { $0 + $1.0 * $1.1 } }
                }
                return Gradients(output: output, input: dx, weight: [])
            }
        }
    }
}
