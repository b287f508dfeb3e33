/// Means over 3×3 parts of a plane: (B, H, W, C) to (B, 1, 1, 9 C), the upper left part's channels first.
///
/// Parts overlap where the side is no multiple of three, as in PyTorch's `AdaptiveAvgPool2d`.
enum PartPooling {
    /// Parts along both sides, and in all.
    static let side = 3
    static let count = side * side

    /// Where part `index` of a side begins and ends.
    static func range(_ index: Int, of length: Int) -> Range<Int> {
        index * length / side..<((index + 1) * length + side - 1) / side
    }

    static func forward(_ input: Tensor, _ pass: Pass) -> Tensor {
        let shape = input.shape
        let channels = shape.channels
        let output = pass.workspace.tensor(Shape(rows: shape.images, columns: count * channels))
        pass.program.add("part pooling", slices: shape.images) { image, _ in
            let source = input.pointer + image * shape.height * shape.width * channels
            let target = output.pointer + image * count * channels
            for part in 0..<count {
                let sum = target + part * channels
                sum.update(repeating: 0, count: channels)
                let rows = range(part / side, of: shape.height)
                let columns = range(part % side, of: shape.width)
                for y in rows {
                    for x in columns {
                        let pixel = source + (y * shape.width + x) * channels
                        for c in 0..<channels { sum[c] += pixel[c] }
                    }
                }
                let area = Float(rows.count * columns.count)
                for c in 0..<channels { sum[c] /= area }
            }
        }
        pass.workspace.release(input)
        return output
    }
}
