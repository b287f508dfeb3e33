import Support
import Testing

@testable import TSimCNEKernels

struct ConvolutionCase: CustomStringConvertible, Sendable {
    let geometry: ConvolutionGeometry
    var description: String {
        let g = geometry
        return "\(g.input) to \(g.outputChannels), kernel \(g.kernel), stride \(g.stride)"
    }

    /// Sizes are odd on purpose: planes of one pixel, channels around every panel's width.
    static let all: [ConvolutionCase] = {
        var cases: [ConvolutionCase] = []
        let shapes = [(1, 1, 1), (2, 3, 7), (3, 8, 5), (1, 9, 9), (5, 4, 4), (1, 2, 13)]
        let channels = [
            (1, 1), (3, 16), (16, 17), (5, 33), (20, 64), (64, 3), (130, 70), (17, 130), (16, 48), (96, 80),
        ]
        for (i, (n, h, w)) in shapes.enumerated() {
            for (j, (inputs, outputs)) in channels.enumerated() {
                for (kernel, stride) in [(3, 1), (3, 2), (1, 1), (1, 2)] where (i + j) % 2 == 0 || kernel == 3
                {
                    cases.append(
                        ConvolutionCase(
                            geometry: ConvolutionGeometry(
                                input: Shape(n, h, w, inputs), outputChannels: outputs, kernel: kernel,
                                stride: stride)))
                }
            }
        }
        return cases + whole + random
    }()

    /// Planes that are one tile, and those that tiles of two or three outputs fill or leave.
    private static let whole: [ConvolutionCase] = [1, 2].flatMap { stride in
        (2...7).map { side in
            ConvolutionCase(
                geometry: ConvolutionGeometry(
                    input: Shape(40, side, side, 32), outputChannels: 48, kernel: 3, stride: stride))
        }
    }

    /// Cases of any shape; half of them have whole vectors of channels, for which there is Winograd's form.
    private static let random: [ConvolutionCase] = {
        var seeds = values(80 * 5, seed: 77).map { ($0 + 1) / 2 }.makeIterator()
        func draw(_ range: ClosedRange<Int>) -> Int {
            range.lowerBound + Int(seeds.next()! * Float(range.count))
        }
        return (0..<80).map { i in
            let whole = i % 2 == 0
            let inputs = whole ? 16 * draw(1...5) : draw(1...130)
            let outputs = whole ? 16 * draw(1...5) : draw(1...130)
            let shape = Shape(draw(1...9), draw(1...13), draw(1...13), inputs)
            return ConvolutionCase(
                geometry: ConvolutionGeometry(
                    input: shape, outputChannels: outputs, kernel: 3, stride: i % 4 < 2 ? 1 : 2))
        }
    }()
}

@Suite struct ConvolutionTests {
    /// Each case runs in every form that is right for the geometry, whichever is chosen for it.
    @Test(arguments: ConvolutionCase.all)
    func allPassesEqualTheDefinition(_ test: ConvolutionCase) {
        for algorithm in ConvolutionAlgorithm.all(for: test.geometry) {
            check(Convolution(test.geometry, algorithm))
        }
    }

    /// Products of numbers with 8 bits, of what Winograd's transforms make of values, which the larger tile
    /// makes much larger than what comes out: errors in units of the largest value.
    @Test(arguments: ConvolutionCase.all)
    func productsOfHalvesAreAsGoodAsTheirBits(_ test: ConvolutionCase) {
        guard Precision.bfloat16.isAvailable else { return }
        for algorithm in ConvolutionAlgorithm.all(for: test.geometry) where algorithm != .direct {
            check(
                Convolution(test.geometry, algorithm, precision: .bfloat16),
                error: algorithm == .winograd(tile: 4) ? 0.1 : 0.05)
        }
    }

    private func check(_ convolution: Convolution, error: Double = 1e-5) {
        let g = convolution.geometry
        let (x, w, dy) = (
            values(g.input.count, seed: 1), values(g.weightCount, seed: 2), values(g.output.count, seed: 3)
        )
        let (input, output) = (Tensor(g.input), Tensor(g.output))
        let gradient = Tensor(g.output)
        let (weight, weightGradient) = (AlignedBuffer(count: w.count), AlignedBuffer(count: w.count))
        input.copy(from: x)
        gradient.copy(from: dy)
        for i in w.indices { weight.pointer[i] = w[i] }
        let (program, workspace) = (Program(), Workspace())
        convolution.forward(
            program, name: "c", workspace: workspace, source: .plain(input), weight: weight, output: output)
        let inputGradient = convolution.backward(
            program, name: "c", workspace: workspace, source: .plain(input), outputGradient: .plain(gradient),
            weight: weight, weightGradient: weightGradient, sink: .plain)!
        program.run(on: ThreadPool(threads: 2))
        let reference = ConvolutionReference(g)
        let (xd, wd, dyd) = (doubles(x), doubles(w), doubles(dy))
        #expect(relativeError(output.values, reference.forward(input: xd, weight: wd)) < error)
        #expect(
            relativeError(inputGradient.values, reference.inputGradient(outputGradient: dyd, weight: wd))
                < error)
        let found = (0..<w.count).map { weightGradient.pointer[$0] }
        #expect(relativeError(found, reference.weightGradient(input: xd, outputGradient: dyd)) < error)
    }

    /// Planes are also smaller than the kernel, and strides leave places out.
    @Test(arguments: [1, 3, 5, 7], [1, 2, 3])
    func referenceGradientsAreCentralDifferences(kernel: Int, stride: Int) {
        func check(_ input: Shape, outputs: Int) {
            let g = ConvolutionGeometry(
                input: input, outputChannels: outputs, kernel: kernel, stride: stride)
            let reference = ConvolutionReference(g)
            let (x, w) = (doubles(values(g.input.count, seed: 1)), doubles(values(g.weightCount, seed: 2)))
            let dy = doubles(values(g.output.count, seed: 3))
            func objective(_ x: [Double], _ w: [Double]) -> Double {
                zip(reference.forward(input: x, weight: w), dy).reduce(0) { $0 + $1.0 * $1.1 }
            }
            let dx = reference.inputGradient(outputGradient: dy, weight: w)
            let dw = reference.weightGradient(input: x, outputGradient: dy)
            for i in x.indices {
                #expect(abs(centralDifference(x, i) { objective($0, w) } - dx[i]) < 1e-8, "\(g)")
            }
            for i in w.indices {
                #expect(abs(centralDifference(w, i) { objective(x, $0) } - dw[i]) < 1e-8, "\(g)")
            }
        }
        check(Shape(2, 3, 4, 2), outputs: 3)
        for height in 1...9 {
            for width in 1...9 { check(Shape(1, height, width, 1), outputs: 1) }
        }
    }
}
