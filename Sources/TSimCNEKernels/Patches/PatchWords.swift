/// What the patches of an image look like, by words: the sparse code of Chen, Yun, Ma, Olshausen and LeCun (2022).
///
/// A patch, less its image's mean, is whitened and brought to unit length. It has those words (unit vectors too)
/// whose product with it reaches a threshold. An image is then described by how often it has each word, or, with
/// a vector for each word, by the sum of its words' vectors in each patch, brought to unit length, averaged over
/// the patches of each of cells × cells parts of the image, and brought to unit length again.
public final class PatchWords: @unchecked Sendable {
    /// Words that are compared at a time: their products with an image's patches stay in the second-level cache.
    private static let block = 256

    public let grid: PatchGrid
    private let count: Int
    /// Numbers of a whitened patch.
    private let components: Int
    private let threshold: Float
    private let whitening: AlignedBuffer
    private let words: [(first: Int, count: Int, packed: AlignedBuffer)]
    private let vectors: Vectors?

    /// A vector for each word, and into how many parts an image is divided along both sides.
    public struct Vectors {
        let values: UnsafePointer<Float>
        let dimension: Int
        let cells: Int

        /// - Parameters:
        ///   - values: words × dimension, in memory that outlives what reads them.
        ///   - cells: at most the patches along the image's smaller side.
        public init(values: UnsafePointer<Float>, dimension: Int, cells: Int) {
            self.values = values
            self.dimension = dimension
            self.cells = cells
        }
    }

    /// - Parameters:
    ///   - whitening: components × depth.
    ///   - words: count × components.
    ///   - threshold: more than 0.
    ///   - vectors: nil to count words.
    public init(
        grid: PatchGrid, whitening: UnsafePointer<Float>, components: Int, words: UnsafePointer<Float>,
        count: Int, threshold: Float, vectors: Vectors?
    ) {
        func packed(_ rows: UnsafePointer<Float>, _ count: Int, of length: Int) -> AlignedBuffer {
            let buffer = AlignedBuffer(count: gemmScratchCount(n: count, k: length))
            packMatrix(
                rows: length, columns: count, source: rows, rowStride: 1, columnStride: length,
                into: buffer.pointer)
            return buffer
        }
        self.grid = grid
        self.count = count
        self.components = components
        self.threshold = threshold
        self.vectors = vectors
        self.whitening = packed(whitening, components, of: grid.depth)
        self.words = stride(from: 0, to: count, by: PatchWords.block).map { first in
            let some = min(PatchWords.block, count - first)
            return (first, some, packed(words + first * components, some, of: components))
        }
    }

    /// Values that describe an image.
    public var outputs: Int { vectors.map { $0.cells * $0.cells * $0.dimension } ?? count }

    /// Floats of scratch that describing an image wants.
    public var scratchCount: Int {
        grid.count * (grid.depth + components + PatchWords.block + (vectors?.dimension ?? 0))
    }

    /// Bytes that the words take beside the caller's memory, and each thread.
    public static func bytes(
        grid: PatchGrid, components: Int, count: Int, dimension: Int
    ) -> (shared: Int, thread: Int) {
        // Columns are filled up to whole panels.
        let shared =
            4 * (grid.depth * (components + PatchWords.block) + components * (count + PatchWords.block))
        return (shared, 4 * grid.count * (grid.depth + components + PatchWords.block + dimension))
    }

    /// Describes an image of the grid's size.
    public func describe(
        _ pixels: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let (patches, depth) = (grid.count, grid.depth)
        let white = scratch + patches * depth
        let products = white + patches * components
        let sums = products + patches * PatchWords.block
        grid.copyPatches(of: pixels, into: scratch)
        multiplyPackedMatrix(
            m: patches, n: components, k: depth, a: scratch, rowStrideA: depth, packed: whitening.pointer,
            c: white, rowStrideC: components, accumulate: false)
        for patch in 0..<patches { normalize(white + patch * components, count: components) }
        if let vectors {
            sums.update(repeating: 0, count: patches * vectors.dimension)
        } else {
            output.update(repeating: 0, count: count)
        }
        let share = 1 / Float(patches)
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: PatchWords.block) { buffer in
            let found = buffer.baseAddress!
            for block in words {
                multiplyPackedMatrix(
                    m: patches, n: block.count, k: components, a: white, rowStrideA: components,
                    packed: block.packed.pointer, c: products, rowStrideC: PatchWords.block, accumulate: false
                )
                for patch in 0..<patches {
                    let words = findWords(products + patch * PatchWords.block, count: block.count, found)
                    if let vectors {
                        vectors.add(words, from: block.first, to: sums + patch * vectors.dimension)
                    } else {
                        for word in words { output[block.first &+ Int(word)] += share }
                    }
                }
            }
        }
        if let vectors { pool(sums, vectors, into: output) }
    }

    /// The words of a patch, in their order, by its products with some of them: which they are is written to
    /// `found`. Bits instead of branches, which a processor could not foresee.
    private func findWords(
        _ products: UnsafePointer<Float>, count: Int, _ found: UnsafeMutablePointer<Int32>
    ) -> UnsafeBufferPointer<Int32> {
        let least = Lanes(repeating: threshold)
        var (k, n) = (0, 0)
        while k &+ 64 <= count {
            var bits: UInt64 = 0
            for lane in Swift.stride(from: 0, to: 64, by: Lanes.scalarCount) {
                bits |= UInt64((products.lanes(k &+ lane) .>= least).bits) &<< UInt64(lane)
            }
            bits.forEachBit {
                found[n] = Int32(truncatingIfNeeded: k &+ $0)
                n &+= 1
            }
            k &+= 64
        }
        while k < count {
            found[n] = Int32(truncatingIfNeeded: k)
            n &+= products[k] >= threshold ? 1 : 0
            k &+= 1
        }
        return UnsafeBufferPointer(start: found, count: n)
    }

    /// Means of the patches' vectors over parts of the image; parts share patches where they do not divide evenly.
    private func pool(
        _ sums: UnsafeMutablePointer<Float>, _ vectors: Vectors, into output: UnsafeMutablePointer<Float>
    ) {
        let (dimension, cells) = (vectors.dimension, vectors.cells)
        for patch in 0..<grid.count { normalize(sums + patch * dimension, count: dimension) }
        func range(_ cell: Int, _ count: Int) -> Range<Int> {
            cell * count / cells..<((cell + 1) * count + cells - 1) / cells
        }
        output.update(repeating: 0, count: cells * cells * dimension)
        for y in 0..<cells {
            for x in 0..<cells {
                let target = output + (y * cells + x) * dimension
                for row in range(y, grid.rows) {
                    for column in range(x, grid.columns) {
                        add(sums + (row * grid.columns + column) * dimension, to: target, count: dimension)
                    }
                }
                normalize(target, count: dimension)
            }
        }
    }
}

extension PatchWords.Vectors {
    /// Adds the vectors of words, counted from `first` on, in their order: some numbers of each at a time, which
    /// stay in registers.
    fileprivate func add(
        _ words: UnsafeBufferPointer<Int32>, from first: Int, to sums: UnsafeMutablePointer<Float>
    ) {
        let one = Lanes(repeating: 1)
        @inline(__always)
        func add<P: Panel>(_: P.Type, _ column: Int) {
            var sum = P(sums + column)
            for word in words {
                sum.add(one, times: P(values + ((first &+ Int(word)) &* dimension &+ column)))
            }
            sum.store(sums + column)
        }
        var column = 0
        while column &+ 4 * Lanes.scalarCount <= dimension {
            add(QuadPanel<SingleElement>.self, column)
            column &+= 4 * Lanes.scalarCount
        }
        while column &+ Lanes.scalarCount <= dimension {
            add(SinglePanel<SingleElement>.self, column)
            column &+= Lanes.scalarCount
        }
        while column < dimension {
            for word in words { sums[column] += values[(first &+ Int(word)) &* dimension &+ column] }
            column &+= 1
        }
    }
}

/// Divides a vector by its length; what has none stays zero.
private func normalize(_ vector: UnsafeMutablePointer<Float>, count: Int) {
    let square = dot(vector, vector, count: count)
    guard square > 0 else { return }
    scale(vector, by: 1 / square.squareRoot(), count: count)
}
