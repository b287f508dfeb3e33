/// The words of patches by naive loops in double precision, to be tested against.
public enum PatchesReference {
    /// The products of each whitened patch of an image with all words.
    public static func words(
        of pixels: [Double], _ grid: PatchGrid, _ whitening: [Double], _ words: [Double]
    ) -> [[Double]] {
        let (depth, components) = (grid.depth, whitening.count / grid.depth)
        let mean = pixels.reduce(0, +) / Double(pixels.count)
        var result: [[Double]] = []
        for top in stride(from: 0, through: grid.height - grid.side, by: grid.stride) {
            for left in stride(from: 0, through: grid.width - grid.side, by: grid.stride) {
                var patch: [Double] = []
                for y in top..<top + grid.side {
                    for x in left..<left + grid.side {
                        for c in 0..<grid.channels {
                            patch.append(pixels[(y * grid.width + x) * grid.channels + c] - mean)
                        }
                    }
                }
                let white = unit(
                    (0..<components).map { i in
                        (0..<depth).reduce(0) { $0 + whitening[i * depth + $1] * patch[$1] }
                    })
                result.append(
                    (0..<words.count / components).map { w in
                        (0..<components).reduce(0) { $0 + words[w * components + $1] * white[$1] }
                    })
            }
        }
        return result
    }

    /// What an image's parts have of the words' vectors, by the products of its patches.
    public static func pooled(
        _ products: [[Double]], _ grid: PatchGrid, threshold: Double, vectors: [Double], dimension: Int,
        cells: Int
    ) -> [Double] {
        let patches = products.map { row in
            unit(
                (0..<dimension).map { d in
                    row.indices.reduce(0) { $0 + (row[$1] >= threshold ? vectors[$1 * dimension + d] : 0) }
                })
        }
        var result: [Double] = []
        for y in 0..<cells {
            for x in 0..<cells {
                var sum = [Double](repeating: 0, count: dimension)
                for row in 0..<grid.rows where overlaps(row, y, grid.rows, cells) {
                    for column in 0..<grid.columns where overlaps(column, x, grid.columns, cells) {
                        for d in 0..<dimension { sum[d] += patches[row * grid.columns + column][d] }
                    }
                }
                result += unit(sum)
            }
        }
        return result
    }

    /// A number near another one that lies halfway between two of these.
    public static func gap(in values: [Double], about middle: Double) -> Double {
        let near = values.filter { abs($0 - middle) < 0.1 }.sorted()
        let gaps = zip(near, near.dropFirst()).map { (wide: $1 - $0, at: ($0 + $1) / 2) }
        return gaps.max { $0.wide < $1.wide }?.at ?? middle
    }

    /// Whether patch `i` of so many is, in part at least, in a part of the image.
    private static func overlaps(_ i: Int, _ cell: Int, _ count: Int, _ cells: Int) -> Bool {
        (i + 1) * cells > cell * count && i * cells < (cell + 1) * count
    }

    private static func unit(_ vector: [Double]) -> [Double] {
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length > 0 ? vector.map { $0 / length } : vector
    }
}
