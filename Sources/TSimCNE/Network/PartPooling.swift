/// Means over 3×3 parts of a plane: (B, H, W, C) to the first 9 C columns of rows, the upper left part's channels
/// first.
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

    static func append(_ input: Tensor, into rows: Tensor, _ program: Program) {
        let shape = input.shape
        let channels = shape.channels
        program.add("part pooling", slices: shape.images) { image, _ in
            let source = input.pointer + image * shape.height * shape.width * channels
            let target = rows.pointer + image * rows.shape.channels
            for part in 0..<count {
                let sum = target + part * channels
                sum.update(repeating: 0, count: channels)
                let across = range(part % side, of: shape.width)
                let down = range(part / side, of: shape.height)
                for y in down {
                    for x in across {
                        let pixel = source + (y * shape.width + x) * channels
                        for c in 0..<channels { sum[c] += pixel[c] }
                    }
                }
                let area = Float(down.count * across.count)
                for c in 0..<channels { sum[c] /= area }
            }
        }
    }
}
