/// Mean over the plane: (B, H, W, C) to (B, 1, 1, C).
public final class GlobalAveragePooling: Layer {
    private var shape = Shape(rows: 0, columns: 0)

    public init() {}

    public func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        shape = input.shape
        let (area, channels) = (shape.height * shape.width, shape.channels)
        let output = pass.workspace.tensor(Shape(rows: shape.images, columns: channels))
        pass.program.add("average pooling", slices: shape.images) { image, _ in
            let source = input.pointer + image * area * channels
            let target = output.pointer + image * channels
            target.update(from: source, count: channels)
            for p in 1..<max(1, area) {
                for c in 0..<channels { target[c] += source[p * channels + c] }
            }
            for c in 0..<channels { target[c] /= Float(area) }
        }
        return output
    }

    public func backward(_ gradient: Tensor, _ pass: Pass, wantsInputGradient: Bool) -> Tensor? {
        let inputGradient = pass.workspace.tensor(shape)
        let (area, channels) = (shape.height * shape.width, shape.channels)
        pass.program.add("average pooling gradient", slices: shape.images) { image, _ in
            let source = gradient.pointer + image * channels
            let target = inputGradient.pointer + image * area * channels
            for p in 0..<area {
                for c in 0..<channels { target[p * channels + c] = source[c] / Float(area) }
            }
        }
        pass.workspace.release(gradient)
        return inputGradient
    }
}
