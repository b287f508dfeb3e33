import CLibrary
import Support
import TSimCNEKernels
import Testing

@testable import TSimCNE

/// Layers of networks other than ResNets, as ``LayerTests`` has them.
@Suite struct GeneralLayerTests {
    /// A convolution as loops over everything; of each channel by itself where `isDepthwise`.
    static func convolution(
        _ x: [Double], _ shape: Shape, outputs: Int, kernel: Int, stride: Int, weight: [Double],
        isDepthwise: Bool = false
    ) -> [Double] {
        let (height, width) = ((shape.height - 1) / stride + 1, (shape.width - 1) / stride + 1)
        var result: [Double] = []
        for image in 0..<shape.images {
            for y in 0..<height {
                for x0 in 0..<width {
                    for o in 0..<outputs {
                        var sum = 0.0
                        for i in 0..<kernel {
                            for j in 0..<kernel {
                                let (row, column) = (
                                    y * stride + i - kernel / 2, x0 * stride + j - kernel / 2
                                )
                                guard 0..<shape.height ~= row, 0..<shape.width ~= column else { continue }
                                let place =
                                    ((image * shape.height + row) * shape.width + column) * shape.channels
                                if isDepthwise {
                                    sum += x[place + o] * weight[(i * kernel + j) * outputs + o]
                                    continue
                                }
                                for c in 0..<shape.channels {
                                    let tap = ((i * kernel + j) * shape.channels + c) * outputs + o
                                    sum += x[place + c] * weight[tap]
                                }
                            }
                        }
                        result.append(sum)
                    }
                }
            }
        }
        return result
    }

    @Test(
        arguments: [(3, 8, 7, 2), (5, 6, 5, 1), (2, 3, 3, 3), (7, 4, 1, 1), (16, 20, 3, 2)], [false, true])
    func patchConvolution(
        _ test: (inputs: Int, outputs: Int, kernel: Int, stride: Int), hasBias: Bool
    ) {
        let shape = Shape(3, 9, 11, test.inputs)
        let layer = PatchConvolution(
            "conv", inputs: test.inputs, outputs: test.outputs, kernel: test.kernel, stride: test.stride,
            hasBias: hasBias)
        LayerTests.check(layer, shape) { x, parameters in
            GeneralLayerTests.convolution(
                x, shape, outputs: test.outputs, kernel: test.kernel, stride: test.stride,
                weight: parameters[0]
            ).enumerated().map { $0.element + (hasBias ? parameters[1][$0.offset % test.outputs] : 0) }
        }
    }

    @Test(arguments: [(3, 3, 1), (16, 3, 2), (20, 5, 1), (8, 5, 2), (5, 1, 1), (70, 3, 1), (3, 7, 1)])
    func depthwiseConvolution(channels: Int, kernel: Int, stride: Int) {
        let shape = Shape(3, 9, 6, channels)
        let layer = DepthwiseConvolutionLayer("conv", channels: channels, kernel: kernel, stride: stride)
        LayerTests.check(layer, shape) {
            GeneralLayerTests.convolution(
                $0, shape, outputs: channels, kernel: kernel, stride: stride, weight: $1[0],
                isDepthwise: true)
        }
    }

    /// More images than slices, and fewer; read as they are, and through the normalisation of what widens them.
    @Test(arguments: [(3, 3, 1), (16, 3, 2), (20, 5, 1), (40, 3, 1)], [2, 35])
    func normalizedDepthwise(_ test: (channels: Int, kernel: Int, stride: Int), images: Int) {
        let (channels, kernel, stride) = test
        func layer(after widening: NormalizedConvolution?) -> NormalizedDepthwise {
            NormalizedDepthwise(
                DepthwiseConvolutionLayer("conv", channels: channels, kernel: kernel, stride: stride),
                BatchNormalization("bn", channels: channels, function: .hardSwish), after: widening)
        }
        let shape = Shape(images, 4, 3, channels)
        func reference(_ x: [Double], _ p: ArraySlice<[Double]>) -> [Double] {
            let (p, function) = (Array(p), Nonlinearity.Function.hardSwish)
            return LayerReferences.batchNormalization(
                GeneralLayerTests.convolution(
                    x, shape, outputs: channels, kernel: kernel, stride: stride, weight: p[0],
                    isDepthwise: true),
                channels: channels, weight: p[1], bias: p[2]
            ).map { GeneralLayerTests.value(function, $0) }
        }
        LayerTests.check(layer(after: nil), shape) { reference($0, $1[...]) }
        let widening = NormalizedConvolution(
            "wide", normalization: "wide.bn", inputs: 5, outputs: channels, kernel: 1, stride: 1,
            function: .silu)
        let narrow = Shape(images, 4, 3, 5)
        LayerTests.check(layer(after: widening), narrow) { x, p in
            let wide = LayerReferences.batchNormalization(
                GeneralLayerTests.convolution(
                    x, narrow, outputs: channels, kernel: 1, stride: 1, weight: p[0]),
                channels: channels, weight: p[1], bias: p[2])
            return reference(wide.map { GeneralLayerTests.value(.silu, $0) }, p[3...])
        }
    }

    @Test(arguments: [(3, 2), (3, 1), (5, 3)], [3, 20])
    func maxPooling(_ test: (kernel: Int, stride: Int), channels: Int) {
        let (kernel, stride) = test
        let shape = Shape(2, 9, 8, channels)
        LayerTests.check(MaxPooling(kernel: kernel, stride: stride), shape) { x, _ in
            LayerReferences.maxPooling(x, shape, kernel: kernel, stride: stride)
        }
    }

    static func value(_ function: Nonlinearity.Function, _ x: Double) -> Double {
        switch function {
        case .relu: return max(0, x)
        case .silu: return x / (1 + exp(-x))
        case .hardSwish: return x * min(max(x + 3, 0), 6) / 6
        case .sigmoid: return 1 / (1 + exp(-x))
        case .hardSigmoid: return min(max(x + 3, 0), 6) / 6
        }
    }

    @Test(arguments: Nonlinearity.Function.allCases)
    func nonlinearities(_ function: Nonlinearity.Function) {
        LayerTests.check(Nonlinearity(function), Shape(3, 2, 5, 7)) { x, _ in
            x.map { GeneralLayerTests.value(function, $0) }
        }
        // Points lie far from zero too, and none on a kink.
        let points = stride(from: -9.0, to: 9, by: 0.37).map { Float($0) }
        // Kernels read whole vectors, which a tensor has room for.
        let shape = Shape(rows: 1, columns: points.count)
        let (input, output, gradient) = (Tensor(shape), Tensor(shape), Tensor(shape))
        input.copy(from: points)
        gradient.copy(from: [Float](repeating: 1, count: points.count))
        NonlinearityKernel.forward(function, input.pointer, into: output.pointer, 0..<points.count)
        NonlinearityKernel.backward(
            function, input.pointer, gradient: gradient.pointer, 0..<points.count)
        for (index, x) in doubles(points).enumerated() {
            let slope = centralDifference([x], 0) { GeneralLayerTests.value(function, $0[0]) }
            #expect(abs(Double(output.values[index]) - GeneralLayerTests.value(function, x)) < 2e-6)
            #expect(abs(Double(gradient.values[index]) - slope) < 1e-5)
        }
    }

    @Test(arguments: [3, 16, 20], [nil] + Nonlinearity.Function.allCases)
    func normalization(channels: Int, function: Nonlinearity.Function?) {
        let layer = Normalization("bn", channels: channels, function: function)
        LayerTests.check(layer, Shape(3, 4, 5, channels)) { x, parameters in
            let y = LayerReferences.batchNormalization(
                x, channels: channels, weight: parameters[0], bias: parameters[1])
            return y.map { y in function.map { GeneralLayerTests.value($0, y) } ?? y }
        }
    }

    @Test func squeezeExcitation() {
        let (shape, squeezed) = (Shape(3, 4, 3, 10), 5)
        let layer = SqueezeExcitation(
            "se", channels: 10, squeezed: squeezed, inner: .silu, gate: .sigmoid)
        LayerTests.check(layer, shape) { x, p in
            (0..<shape.images).flatMap { image in
                GeneralLayerTests.excited(Array(x[image * 120..<(image + 1) * 120]), p, squeezed: squeezed)
            }
        }
    }

    /// What is left of 12 pixels of ten channels.
    private static func excited(_ pixels: [Double], _ p: [[Double]], squeezed: Int) -> [Double] {
        let means = (0..<10).map { c in
            (0..<12).reduce(0.0) { sum, pixel in sum + pixels[pixel * 10 + c] } / 12
        }
        let inner = (0..<squeezed).map { o -> Double in
            let sum = (0..<10).reduce(p[1][o]) { sum, c in sum + means[c] * p[0][c * squeezed + o] }
            return value(.silu, sum)
        }
        let scales = (0..<10).map { o -> Double in
            let sum = (0..<squeezed).reduce(p[3][o]) { sum, i in sum + inner[i] * p[2][i * 10 + o] }
            return value(.sigmoid, sum)
        }
        return pixels.enumerated().map { $0.element * scales[$0.offset % 10] }
    }

    /// What an inverted residual consists of, one after the other, and with its input added.
    @Test func chainsAndResiduals() {
        let shape = Shape(2, 5, 4, 6)
        func layers() -> Chain {
            Chain([
                PatchConvolution("a", inputs: 6, outputs: 8, kernel: 1, stride: 1), Nonlinearity(.silu),
                DepthwiseConvolutionLayer("b", channels: 8, kernel: 3, stride: 1), Nonlinearity(.silu),
                PatchConvolution("c", inputs: 8, outputs: 6, kernel: 1, stride: 1),
            ])
        }
        func reference(_ x: [Double], _ p: [[Double]]) -> [Double] {
            let a = GeneralLayerTests.convolution(
                x, shape, outputs: 8, kernel: 1, stride: 1, weight: p[0]
            ).map { GeneralLayerTests.value(.silu, $0) }
            let middle = Shape(2, 5, 4, 8)
            let b = GeneralLayerTests.convolution(
                a, middle, outputs: 8, kernel: 3, stride: 1, weight: p[1], isDepthwise: true
            ).map { GeneralLayerTests.value(.silu, $0) }
            return GeneralLayerTests.convolution(b, middle, outputs: 6, kernel: 1, stride: 1, weight: p[2])
        }
        LayerTests.check(layers(), shape, reference: reference)
        LayerTests.check(Residual(layers()), shape) { x, p in zip(x, reference(x, p)).map(+) }
        LayerTests.check(Chain([Residual(layers()), Residual(layers())]), shape) { x, p in
            let first = zip(x, reference(x, Array(p[..<3]))).map(+)
            return zip(first, reference(first, Array(p[3...]))).map(+)
        }
    }

    /// Blocks of a ResNet that are written down as layers are built as such, and gradients go straight on from one to
    /// the next; a block whose layers end otherwise is a residual.
    @Test func residualBlocks() {
        func convolution(_ name: String, _ channels: Int, stride: Int = 1, kernel: Int = 3) -> [NamedLayer] {
            [
                NamedLayer(name, .convolution(channels: channels, kernel: kernel, stride: stride)),
                NamedLayer("\(name).bn", .batchNormalization()),
            ]
        }
        let rectifier = NamedLayer("relu", .nonlinearity(.relu))
        func block(_ name: String, _ channels: Int, stride: Int = 1, side: Bool = false) -> [NamedLayer] {
            let body = convolution("\(name).a", channels, stride: stride) + [rectifier]
            let shortcut = side ? convolution("\(name).c", channels, stride: stride, kernel: 1) : []
            return [
                NamedLayer(
                    name, .residual(body + convolution("\(name).b", channels), shortcut: shortcut)),
                rectifier,
            ]
        }
        let shape = Shape(3, 5, 6, 4)
        let chain = (block("x", 4) + block("y", 8, stride: 2, side: true)).built("net", inputs: 4)
        #expect(chain.layers.count == 2 && chain.layers.allSatisfy { $0 is ResidualBlock })
        LayerTests.check(chain, shape) { x, p in
            let first = LayerReferences.basicBlock(
                x, shape, outputs: 4, stride: 1, parameters: Array(p[..<6]))
            return LayerReferences.basicBlock(
                first, shape, outputs: 8, stride: 2, parameters: Array(p[6...]))
        }
        let plain = [block("x", 4)[0]].built("net", inputs: 4)
        #expect(plain.layers.count == 1 && plain.layers[0] is Residual)
    }

    /// The shortcut's result is added instead of the input, and both have another shape than it.
    @Test func residualWithShortcut() {
        let shape = Shape(2, 5, 4, 6)
        func conv(_ name: String, kernel: Int) -> Chain {
            Chain([PatchConvolution(name, inputs: 6, outputs: 8, kernel: kernel, stride: 2)])
        }
        LayerTests.check(Residual(conv("a", kernel: 3), shortcut: conv("b", kernel: 1)), shape) { x, p in
            func convolution(_ kernel: Int, _ weight: [Double]) -> [Double] {
                GeneralLayerTests.convolution(x, shape, outputs: 8, kernel: kernel, stride: 2, weight: weight)
            }
            return zip(convolution(3, p[0]), convolution(1, p[1])).map(+)
        }
    }

    /// A row whose number is below the probability has no part of the layers' result, others more of it.
    @Test func stochasticDepth() {
        let (shape, drop) = (Shape(4, 3, 2, 5), Float(0.3))
        let rows = [0.1, 0.9, 0.29, 0.31]
        let factors: [Float] = [0, 1 / (1 - drop), 0, 1 / (1 - drop)]
        let layer = Residual(
            Chain([PatchConvolution("a", inputs: 5, outputs: 5, kernel: 1, stride: 1)]), drop: drop)
        let weight = values(25, seed: 3)
        for (i, value) in weight.enumerated() { layer.parameters[0].value.pointer[i] = value }
        let input = values(shape.count, seed: 4)
        let slope = values(shape.count, seed: 5)
        let (program, workspace) = (Program(), Workspace())
        let pass = Pass(
            program: program, workspace: workspace, usesBatchStatistics: true, keepsInputs: true,
            chance: { row, place in place == 0 ? rows[row] : 0.99 })
        let source = workspace.tensor(shape)
        source.copy(from: input)
        let output = layer.forward(source, pass)
        // A second one has numbers of its own.
        let second = layer.forward(source, pass)
        let first = layer.forward(
            source,
            Pass(
                program: program, workspace: workspace, usesBatchStatistics: true, keepsInputs: true,
                chance: { row, _ in rows[row] }))
        let gradient = workspace.tensor(shape)
        gradient.copy(from: slope)
        let result = layer.backward(gradient, pass, wantsInputGradient: true)!
        program.run(on: ThreadPool(threads: 2))
        for row in 0..<4 {
            for place in row * 6..<(row + 1) * 6 {
                for o in 0..<5 {
                    var (sum, back) = (Float(0), Float(0))
                    for c in 0..<5 {
                        sum += input[place * 5 + c] * weight[c * 5 + o]
                        back += slope[place * 5 + c] * weight[o * 5 + c]
                    }
                    let i = place * 5 + o
                    #expect(abs(output.values[i] - (input[i] + factors[row] * sum)) < 1e-5)
                    #expect(abs(second.values[i] - (input[i] + sum / (1 - drop))) < 1e-5)
                    #expect(output.values[i] == first.values[i])
                    #expect(abs(result.values[i] - (slope[i] + factors[row] * back)) < 1e-5)
                }
            }
        }
    }
}
