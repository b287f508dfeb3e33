import TSimCNEKernels

/// Layers as their definitions say, in double precision: `x` in NHWC order, parameters in the layers' own.
public enum LayerReferences {
    /// γ (x - mean) / √(variance + ε) + β over all positions of a channel; variance is biased.
    public static func batchNormalization(
        _ x: [Double], channels: Int, weight: [Double], bias: [Double]
    ) -> [Double] {
        var output = x
        for c in 0..<channels {
            let places = Array(stride(from: c, to: x.count, by: channels))
            let count = Double(places.count)
            let mean = places.reduce(0) { $0 + x[$1] } / count
            let variance = places.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) } / count
            for i in places {
                output[i] = weight[c] * (x[i] - mean) / (variance + 1e-5).squareRoot() + bias[c]
            }
        }
        return output
    }

    /// x Wᵀ + b.
    public static func linear(_ x: [Double], weight: [Double], bias: [Double]) -> [Double] {
        let outputs = bias.count
        let inputs = weight.count / outputs
        return (0..<x.count / inputs * outputs).map { index in
            let (row, k) = (index / outputs, index % outputs)
            var sum = bias[k]
            for i in 0..<inputs { sum += x[row * inputs + i] * weight[k * inputs + i] }
            return sum
        }
    }

    public static func pooling(_ x: [Double], _ shape: Shape) -> [Double] {
        let area = shape.height * shape.width
        var output = [Double](repeating: 0, count: shape.images * shape.channels)
        for i in x.indices {
            let image = i / (area * shape.channels)
            output[image * shape.channels + i % shape.channels] += x[i] / Double(area)
        }
        return output
    }

    /// The largest value of each square of the plane, by channel.
    public static func maxPooling(_ x: [Double], _ shape: Shape, kernel: Int, stride: Int) -> [Double] {
        let (height, width) = ((shape.height - 1) / stride + 1, (shape.width - 1) / stride + 1)
        func inside(_ output: Int, _ limit: Int) -> ClosedRange<Int> {
            max(0, output * stride - kernel / 2)...min(limit - 1, output * stride + kernel / 2)
        }
        return (0..<shape.images * height * width * shape.channels).map { index in
            let (c, position) = (index % shape.channels, index / shape.channels)
            let (column, line) = (position % width, position / width)
            let (row, image) = (line % height, line / height)
            var best = -Double.infinity
            for y in inside(row, shape.height) {
                for x0 in inside(column, shape.width) {
                    best = max(best, x[((image * shape.height + y) * shape.width + x0) * shape.channels + c])
                }
            }
            return best
        }
    }

    public static func rectifier(_ x: [Double]) -> [Double] { x.map { max(0, $0) } }

    /// - Parameter parameters: Weight and bias of each layer.
    public static func projectionHead(_ x: [Double], _ parameters: [[Double]]) -> [Double] {
        stride(from: 0, to: parameters.count, by: 2).reduce(x) { values, i in
            linear(i == 0 ? values : rectifier(values), weight: parameters[i], bias: parameters[i + 1])
        }
    }

    /// Two convolutions and a shortcut; nine parameters where the shortcut has a convolution, else six.
    public static func basicBlock(
        _ x: [Double], _ shape: Shape, outputs: Int, stride: Int, parameters: [[Double]]
    ) -> [Double] {
        residualBlock(x, shape, [(3, outputs, stride), (3, outputs, 1)], parameters)
    }

    /// Three convolutions and a shortcut; twelve parameters where that has a convolution, else nine.
    public static func bottleneck(
        _ x: [Double], _ shape: Shape, width: Int, stride: Int, parameters: [[Double]]
    ) -> [Double] {
        residualBlock(x, shape, [(1, width, 1), (3, width, stride), (1, 4 * width, 1)], parameters)
    }

    private static func residualBlock(
        _ x: [Double], _ shape: Shape, _ layers: [(kernel: Int, outputs: Int, stride: Int)],
        _ p: [[Double]]
    ) -> [Double] {
        func layer(_ x: [Double], _ shape: Shape, _ index: Int, _ kernel: Int, _ outputs: Int, _ stride: Int)
            -> ([Double], Shape)
        {
            let geometry = ConvolutionGeometry(
                input: shape, outputChannels: outputs, kernel: kernel, stride: stride)
            let raw = ConvolutionReference(geometry).forward(input: x, weight: p[3 * index])
            let result = batchNormalization(
                raw, channels: outputs, weight: p[3 * index + 1], bias: p[3 * index + 2])
            return (result, geometry.output)
        }
        var (main, size) = (x, shape)
        for (index, l) in layers.enumerated() {
            (main, size) = layer(
                index > 0 ? rectifier(main) : main, size, index, l.kernel, l.outputs, l.stride)
        }
        var side = x
        if p.count > 3 * layers.count {
            let stride = layers.map(\.stride).max()!
            side = layer(x, shape, layers.count, 1, layers.last!.outputs, stride).0
        }
        return rectifier(zip(main, side).map(+))
    }
}
