import TSimCNE

/// Speed of one convolution's three passes, alone.
struct Passes {
    var inputs = 64
    var outputs = 64
    var size = 32
    var images = 256
    var kernel = 3
    var stride = 1
    var threads = usableCores()

    func report() {
        let geometry = ConvolutionGeometry(
            input: Shape(images, size, size, inputs), outputChannels: outputs, kernel: kernel, stride: stride)
        let convolution = Convolution(geometry)
        let (input, output) = (Tensor(geometry.input), Tensor(geometry.output))
        let weight = AlignedBuffer(count: geometry.weightCount)
        var random = RandomNumbers(seed: 1, purpose: .weights)
        for (pointer, count) in [
            (input.pointer, input.count), (output.pointer, output.count), (weight.pointer, weight.count),
        ] {
            for i in 0..<count { pointer[i] = Float(random.uniform()) - 0.5 }
        }
        let pool = ThreadPool(threads: threads)
        for (name, write) in [
            (
                "forward",
                { program, workspace in
                    convolution.forward(
                        program, name: "", workspace: workspace, source: .plain(input), weight: weight,
                        output: output)
                }
            ),
            (
                "data gradient",
                { program, workspace in
                    _ = convolution.backwardData(
                        program, name: "", workspace: workspace, outputGradient: .plain(output),
                        weight: weight, sink: .plain)
                }
            ),
            (
                "weight gradient",
                { program, workspace in
                    convolution.backwardWeight(
                        program, name: "", workspace: workspace, source: .plain(input),
                        outputGradient: .plain(output), weightGradient: weight)
                }
            ),
        ] as [(String, (Program, Workspace) -> Void)] {
            let program = Program()
            write(program, Workspace())
            program.run(on: pool)
            let best = (0..<9).map { _ in
                let started = ThreadPool.now()
                program.run(on: pool)
                return Double(ThreadPool.now() - started)
            }.min()!
            let speed = 2 * Double(geometry.multiplications) / best
            print(
                "\(rounded(best * 1e-6)) ms, \(rounded(speed)) effective GFLOP/s  \(name)")
        }
    }
}
