import Support
import Testing

@testable import TSimCNE

@Suite struct LayerTests {
    /// Runs forward and backward with the output's gradient set to `direction`.
    static func run(
        _ layer: any Layer, input: [Float], shape: Shape, direction: [Float]
    ) -> (objective: Double, inputGradient: [Float]) {
        let (forward, backward, workspace) = (Program(), Program(), Workspace())
        let pass = Pass(
            program: forward, workspace: workspace, usesBatchStatistics: true, keepsInputs: true)
        let source = workspace.tensor(shape)
        source.copy(from: input)
        let output = layer.forward(source, pass)
        let gradient = workspace.tensor(output.shape)
        let back = Pass(
            program: backward, workspace: workspace, usesBatchStatistics: true, keepsInputs: true)
        let inputGradient = layer.backward(gradient, back, wantsInputGradient: true)!
        let pool = ThreadPool(threads: 2)
        forward.run(on: pool)
        let objective = zip(output.values, direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        gradient.copy(from: direction)
        backward.run(on: pool)
        return (objective, inputGradient.values)
    }

    /// Central differences of the single-precision layer itself; the step is wide, the bound follows.
    static func check(_ layer: any Layer, _ shape: Shape, outputs: Int) {
        let (input, direction) = (values(shape.count, seed: 31), values(outputs, seed: 32))
        let step: Float = 1e-2
        let found = run(layer, input: input, shape: shape, direction: direction)
        let gradients = layer.parameters.map { parameter in
            (0..<parameter.count).map { parameter.gradient.pointer[$0] }
        }
        func difference(_ up: () -> Double, _ down: () -> Double) -> Double {
            (up() - down()) / Double(2 * step)
        }
        let sampled = Array(stride(from: 0, to: input.count, by: max(1, input.count / 12)))
        let wanted = sampled.map { index in
            func moved(_ step: Float) -> Double {
                var input = input
                input[index] += step
                return run(layer, input: input, shape: shape, direction: direction).objective
            }
            return difference({ moved(step) }, { moved(-step) })
        }
        #expect(relativeError(sampled.map { found.inputGradient[$0] }, wanted) < 0.01)
        for (parameter, gradient) in zip(layer.parameters, gradients) {
            let sampled = Array(stride(from: 0, to: parameter.count, by: max(1, parameter.count / 10)))
            let wanted = sampled.map { index in
                func moved(_ step: Float) -> Double {
                    let before = parameter.value.pointer[index]
                    parameter.value.pointer[index] = before + step
                    defer { parameter.value.pointer[index] = before }
                    return run(layer, input: input, shape: shape, direction: direction).objective
                }
                return difference({ moved(step) }, { moved(-step) })
            }
            #expect(relativeError(sampled.map { gradient[$0] }, wanted) < 0.01, "\(parameter.name)")
        }
    }

    @Test(arguments: [1, 3, 16, 19, 40])
    func batchNormalization(channels: Int) {
        let layer = BatchNormalization("bn", channels: channels, rectifies: false)
        let scale = values(channels, seed: 8)
        for c in 0..<channels {
            layer.weight.value.pointer[c] = 1 + scale[c] / 2
            layer.bias.value.pointer[c] = scale[c]
        }
        let shape = Shape(3, 4, 5, channels)
        LayerTests.check(layer, shape, outputs: shape.count)
    }

    @Test(arguments: [(5, 7, 3), (70, 33, 65), (1, 4, 130)])
    func linear(rows: Int, inputs: Int, outputs: Int) {
        let layer = Linear("linear", inputs: inputs, outputs: outputs)
        var random = RandomNumbers(seed: 2, purpose: .weights)
        layer.initialize(&random)
        LayerTests.check(layer, Shape(rows: rows, columns: inputs), outputs: rows * outputs)
    }

    @Test(arguments: [(1, 1), (3, 2), (7, 5)])
    func pooling(height: Int, width: Int) {
        LayerTests.check(GlobalAveragePooling(), Shape(2, height, width, 5), outputs: 10)
    }

    @Test func rectifierPassesGradientsOfPositiveOutputsOnly() {
        let input = values(1000, seed: 3)
        let result = LayerTests.run(
            ReLU(), input: input, shape: Shape(rows: 10, columns: 100), direction: values(1000, seed: 4))
        let wanted = zip(input, values(1000, seed: 4)).map { $0 > 0 ? $1 : 0 }
        #expect(result.inputGradient == wanted)
    }

    @Test func convolutionLayerAndItsWeights() {
        let layer = ConvolutionLayer("conv", inputs: 3, outputs: 5, kernel: 3, stride: 2)
        var random = RandomNumbers(seed: 2, purpose: .weights)
        layer.initialize(&random)
        LayerTests.check(layer, Shape(2, 7, 6, 3), outputs: 2 * 4 * 3 * 5)
    }

    @Test func normalizationAddsTheResidualAndRectifies() {
        let (program, workspace) = (Program(), Workspace())
        let pass = Pass(program: program, workspace: workspace, usesBatchStatistics: true, keepsInputs: true)
        let shape = Shape(2, 3, 3, 17)
        let (input, residual) = (workspace.tensor(shape), workspace.tensor(shape))
        let (x, r, dy) = (values(shape.count, seed: 1), values(shape.count, seed: 2), values(shape.count, seed: 3))
        input.copy(from: x)
        residual.copy(from: r)
        let layer = BatchNormalization("bn", channels: 17, rectifies: true)
        let output = layer.forward(input, residual: residual, pass)
        let gradient = workspace.tensor(shape)
        let backward = Program()
        let (_, residualGradient) = layer.backward(
            gradient, hasResidual: true,
            Pass(program: backward, workspace: workspace, usesBatchStatistics: true, keepsInputs: true))
        program.run(on: ThreadPool(threads: 2))
        let y = output.values
        for c in 0..<17 {
            let places = stride(from: c, to: shape.count, by: 17)
            let mean = places.reduce(0.0) { $0 + Double(x[$1]) } / 18
            let variance = places.reduce(0.0) { $0 + (Double(x[$1]) - mean) * (Double(x[$1]) - mean) } / 18
            for i in places {
                let wanted = max(0, (Double(x[i]) - mean) / (variance + 1e-5).squareRoot() + Double(r[i]))
                #expect(abs(Double(y[i]) - wanted) < 1e-4)
            }
        }
        gradient.copy(from: dy)
        backward.run(on: ThreadPool(threads: 1))
        #expect(residualGradient!.values == zip(y, dy).map { $0 > 0 ? $1 : 0 })
    }
}
