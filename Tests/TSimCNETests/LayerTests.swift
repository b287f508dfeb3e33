import Support
import Testing

@testable import TSimCNE

/// Every layer's forward pass against naive loops in double precision, and its gradients against
/// central differences of those.
@Suite struct LayerTests {
    struct Passes {
        var output: [Float]
        var inputGradient: [Float]
        var parameterGradients: [[Float]]
    }

    /// Runs forward and backward with the output's gradient set to `direction`.
    static func run(
        _ layer: any Layer, _ shape: Shape, _ input: [Float], _ direction: (Int) -> [Float]
    ) -> Passes {
        let (forward, backward, workspace) = (Program(), Program(), Workspace())
        func pass(_ program: Program) -> Pass {
            Pass(program: program, workspace: workspace, usesBatchStatistics: true, keepsInputs: true)
        }
        let source = workspace.tensor(shape)
        source.copy(from: input)
        let output = layer.forward(source, pass(forward))
        let gradient = workspace.tensor(output.shape)
        let inputGradient = layer.backward(gradient, pass(backward), wantsInputGradient: true)!
        let pool = ThreadPool(threads: 2)
        forward.run(on: pool)
        let result = output.values
        gradient.copy(from: direction(output.count))
        backward.run(on: pool)
        return Passes(
            output: result, inputGradient: inputGradient.values,
            parameterGradients: layer.parameters.map { parameter in
                (0..<parameter.count).map { parameter.gradient.pointer[$0] }
            })
    }

    static func check(
        _ layer: any Layer, _ shape: Shape, reference: ([Double], [[Double]]) -> [Double]
    ) {
        for (i, parameter) in layer.parameters.enumerated() {
            for (j, value) in values(parameter.count, seed: UInt64(40 + i)).enumerated() {
                parameter.value.pointer[j] = value + (parameter.shape.count == 1 ? 0.5 : 0)
            }
        }
        let input = values(shape.count, seed: 31)
        let direction = { values($0, seed: 32) }
        let found = run(layer, shape, input, direction)
        let x = doubles(input)
        let parameters = layer.parameters.map { parameter in
            (0..<parameter.count).map { Double(parameter.value.pointer[$0]) }
        }
        #expect(relativeError(found.output, reference(x, parameters)) < 1e-5)

        let weights = doubles(direction(found.output.count))
        func objective(_ x: [Double], _ parameters: [[Double]]) -> Double {
            zip(reference(x, parameters), weights).reduce(0) { $0 + $1.0 * $1.1 }
        }
        func expectGradient(
            _ found: [Float], of values: [Double], _ name: String, _ function: ([Double]) -> Double
        ) {
            let sampled = Array(stride(from: 0, to: values.count, by: max(1, values.count / 15)))
            let wanted = sampled.map { centralDifference(values, $0, function) }
            let error = relativeError(sampled.map { found[$0] }, wanted, floor: 0.01)
            #expect(error < 1e-4, "\(name)")
        }
        expectGradient(found.inputGradient, of: x, "input") { objective($0, parameters) }
        for (i, parameter) in layer.parameters.enumerated() {
            expectGradient(found.parameterGradients[i], of: parameters[i], parameter.name) { moved in
                var parameters = parameters
                parameters[i] = moved
                return objective(x, parameters)
            }
        }
    }

    /// Both forms of convolution, channels that fill vectors and that do not.
    @Test(
        arguments: [(3, 5, 3, 1), (4, 19, 1, 2), (16, 32, 3, 1), (16, 40, 3, 2)],
        [nil, Nonlinearity.Function.relu, .silu])
    func normalizedConvolution(
        _ test: (inputs: Int, outputs: Int, kernel: Int, stride: Int), function: Nonlinearity.Function?
    ) {
        let shape = Shape(3, 6, 5, test.inputs)
        let geometry = ConvolutionGeometry(
            input: shape, outputChannels: test.outputs, kernel: test.kernel, stride: test.stride)
        let layer = NormalizedConvolution(
            "conv", normalization: "bn", inputs: test.inputs, outputs: test.outputs, kernel: test.kernel,
            stride: test.stride, function: function)
        LayerTests.check(layer, shape) {
            let normalized = LayerReferences.batchNormalization(
                ConvolutionReference(geometry).forward(input: $0, weight: $1[0]), channels: test.outputs,
                weight: $1[1], bias: $1[2])
            return normalized.map { y in function.map { GeneralLayerTests.value($0, y) } ?? y }
        }
    }

    @Test(arguments: [(5, 7, 3), (70, 33, 65), (1, 4, 130)])
    func linear(rows: Int, inputs: Int, outputs: Int) {
        LayerTests.check(
            Linear("linear", inputs: inputs, outputs: outputs), Shape(rows: rows, columns: inputs)
        ) {
            LayerReferences.linear($0, weight: $1[0], bias: $1[1])
        }
    }

    @Test(arguments: [(1, 1), (3, 2), (7, 5)])
    func pooling(height: Int, width: Int) {
        let shape = Shape(2, height, width, 5)
        LayerTests.check(GlobalAveragePooling(), shape) { x, _ in LayerReferences.pooling(x, shape) }
    }

    @Test func rectifier() {
        LayerTests.check(ReLU(), Shape(rows: 9, columns: 33)) { x, _ in LayerReferences.rectifier(x) }
    }

    @Test(arguments: [(3, 1), (3, 2), (1, 1), (1, 2)])
    func convolution(kernel: Int, stride: Int) {
        let shape = Shape(2, 7, 6, 3)
        let layer = ConvolutionLayer("conv", inputs: 3, outputs: 5, kernel: kernel, stride: stride)
        let geometry = ConvolutionGeometry(input: shape, outputChannels: 5, kernel: kernel, stride: stride)
        LayerTests.check(layer, shape) {
            ConvolutionReference(geometry).forward(input: $0, weight: $1[0])
        }
    }

    @Test(arguments: [(4, 4, 1), (4, 6, 1), (3, 5, 2), (32, 32, 1), (16, 32, 2)])
    func basicBlock(inputs: Int, outputs: Int, stride: Int) {
        let shape = Shape(2, 5, 6, inputs)
        LayerTests.check(
            ResidualBlock("block", inputs: inputs, width: outputs, stride: stride), shape
        ) {
            LayerReferences.basicBlock($0, shape, outputs: outputs, stride: stride, parameters: $1)
        }
    }

    @Test(arguments: [(16, 4, 1), (4, 4, 1), (8, 3, 2), (64, 16, 1), (32, 16, 2)])
    func bottleneck(inputs: Int, width: Int, stride: Int) {
        let shape = Shape(2, 5, 6, inputs)
        LayerTests.check(
            ResidualBlock("block", .bottleneck, inputs: inputs, width: width, stride: stride), shape
        ) {
            LayerReferences.bottleneck($0, shape, width: width, stride: stride, parameters: $1)
        }
    }

    /// A block whose backward pass goes straight on through the one before it.
    private final class TwoBlocks: Layer {
        let first: ResidualBlock
        let second: ResidualBlock
        var parameters: [Parameter] { first.parameters + second.parameters }

        init(_ channels: (Int, Int, Int), stride: Int) {
            first = ResidualBlock("first", inputs: channels.0, width: channels.1, stride: 1)
            second = ResidualBlock("second", inputs: channels.1, width: channels.2, stride: stride)
        }

        func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
            second.forward(first.forward(input, pass), pass)
        }

        func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
            second.maskGradient(gradient, pass)
            let inner = second.backwardMasked(gradient, upstream: first.asUpstream, pass)
            return first.backwardMasked(inner, upstream: nil, pass)
        }
    }

    /// Every form of convolution, with the shortcut as it is and through a convolution. (Shapes in which no
    /// value lies as near to its rectifier's kink as rounding: there the gradient jumps.)
    @Test(arguments: [(16, 16, 16, 1), (16, 32, 48, 2), (3, 5, 5, 1), (5, 6, 7, 2), (4, 16, 16, 1)])
    func joinedBlocks(_ a: Int, _ b: Int, _ c: Int, stride: Int) {
        let shape = Shape(3, 5, 6, a)
        let middle = Shape(3, 5, 6, b)
        LayerTests.check(TwoBlocks((a, b, c), stride: stride), shape) { x, parameters in
            let count = a == b ? 6 : 9
            let inner = LayerReferences.basicBlock(
                x, shape, outputs: b, stride: 1, parameters: Array(parameters[..<count]))
            return LayerReferences.basicBlock(
                inner, middle, outputs: c, stride: stride, parameters: Array(parameters[count...]))
        }
    }

    /// The same bits, whether outputs are kept or made again.
    @Test(arguments: [(10, 4), (18, 4), (18, 16)], [TrainingPrecision.single, .storedBFloat16])
    func remadeOutputs(_ layers: (depth: Int, width: Int), precision: TrainingPrecision) {
        let (depth, width) = layers
        let shape = Shape(6, 9, 8, 3)
        let results = [false, true].map { remakes in
            let network = ResNet("backbone", depth: depth, baseWidth: width, channels: 3)
            var random = RandomNumbers(seed: 2, purpose: .weights)
            network.initialize(&random)
            let program = Program()
            let workspace = Workspace()
            let pass = Pass(
                program: program, workspace: workspace, usesBatchStatistics: true, keepsInputs: true,
                remakesOutputs: remakes, precision: precision)
            let input = Tensor(shape)
            input.copy(from: values(shape.count, seed: 5))
            let features = network.forward(input, pass)
            let gradient = workspace.tensor(features.shape)
            program.add("gradient", slices: 1) { _, _ in
                gradient.copy(from: values(gradient.count, seed: 6))
            }
            _ = network.backward(gradient, pass, wantsInputGradient: false)
            program.run(on: ThreadPool(threads: 2))
            return network.parameters.map { parameter in
                (0..<parameter.count).map { parameter.gradient.pointer[$0] }
            }
        }
        #expect(results[0] == results[1])
        #expect(results[0].allSatisfy { $0.allSatisfy(\.isFinite) && $0.contains { $0 != 0 } })
    }

    @Test(arguments: [[], [10], [10, 7], [5, 9, 4]] as [[Int]])
    func projectionHead(hidden: [Int]) {
        let head = ProjectionHead("head", inputs: 6, hidden: hidden, outputs: 3)
        let names = (0...hidden.count).flatMap {
            ["head.layers.\(2 * $0).weight", "head.layers.\(2 * $0).bias"]
        }
        #expect(head.parameters.map(\.name) == names)
        LayerTests.check(
            head, Shape(rows: 4, columns: 6), reference: LayerReferences.projectionHead)
    }
}
