/// The sum that all dense kernels come down to:
///
///     C[r, c] (+)= Σ_s Σ_k A[s, r, k] · B[s, k, c]
///
/// over `segments` s and `depth` k in that order, whatever the tile: an element's bits do not depend on
/// how rows were packed into calls. An element of A and B holds as many numbers of the sum as ``precision``
/// says, and `depth` counts elements. A is read in place through three strides, so that an image's
/// neighbourhoods need no copy; B's columns are contiguous.
struct TileProduct {
    var a: UnsafePointer<Float>
    var rowStrideA: Int
    var depthStrideA: Int
    var segmentStrideA = 0
    var b: UnsafePointer<Float>
    var depthStrideB: Int
    var segmentStrideB = 0
    var segments = 1
    var depth: Int
    var c: UnsafeMutablePointer<Float>
    var rowStrideC: Int
    /// Adds to C instead of replacing it.
    var accumulate: Bool
    /// What A and B hold; C is always of single precision.
    var precision = Precision.single

    /// Widest panel: accumulators, its B vectors and a broadcast must fit the registers.
    #if LEVEL_V4 || arch(arm64)
        static let widestPanel = 4
    #else
        static let widestPanel = 2
    #endif

    /// Runs `rows` rows and `columns` columns (at most `vectors` vectors).
    ///
    /// Where the columns do not fill the vectors, B is still read in whole vectors.
    ///
    /// Not inlined: a call is little beside the loops, and they would be copied into every kernel that is
    /// compiled for many kinds of readers and writers.
    @inline(never)
    func run(rows: Int, columns: Int, vectors: Int) {
        if columns < vectors &* Lanes.scalarCount {
            return runPartial(rows: rows, columns: columns, vectors: vectors)
        }
        switch precision {
        case .single: runWhole(rows, vectors, SingleElement.self)
        case .bfloat16: runWhole(rows, vectors, BFloat16Pair.self)
        }
    }

    @inline(__always)
    private func runWhole<E: ProductElement>(_ rows: Int, _ vectors: Int, _: E.Type) {
        switch vectors {
        case 1: runRows(rows, EightRows<SinglePanel<E>>.self)
        #if arch(arm64)
            case 2: runRows(rows, EightRows<PairPanel<E>>.self)
            default: runRows(rows, SixRows<QuadPanel<E>>.self)
        #elseif LEVEL_V4
            case 2: runRows(rows, EightRows<PairPanel<E>>.self)
            default: runRemainder(rows, from: 0, QuadPanel<E>.self)
        #elseif LEVEL_V3
            // Twelve accumulators, two vectors of B and a broadcast: fifteen of sixteen registers. Eight
            // accumulators would just hide the latency of two units.
            default: runRows(rows, SixRows<PairPanel<E>>.self)
        #else
            default: runRemainder(rows, from: 0, PairPanel<E>.self)
        #endif
        }
    }

    @inline(__always)
    private func runRows<R: RowBlock>(_ rows: Int, _: R.Type) {
        var row = 0
        // Two rows alone would wait for their sums: eight that are left are four and four, not six and two.
        while row &+ R.rows <= rows, R.rows != 6 || rows &- row != 8 {
            runTile(R.self, row: row)
            row &+= R.rows
        }
        runRemainder(rows, from: row, R.Columns.self)
    }

    @inline(__always)
    private func runRemainder<P: Panel>(_ rows: Int, from first: Int, _: P.Type) {
        var row = first
        while row &+ 4 <= rows {
            runTile(FourRows<P>.self, row: row)
            row &+= 4
        }
        if row &+ 2 <= rows {
            runTile(TwoRows<P>.self, row: row)
            row &+= 2
        }
        if row < rows { runTile(OneRow<P>.self, row: row) }
    }

    @inline(__always)
    private func runTile<R: RowBlock>(_: R.Type, row: Int) {
        let target = c + row &* rowStrideC
        var tile = accumulate ? R(UnsafePointer(target), stride: rowStrideC) : R()
        var segment = 0
        let rowStride = rowStrideA
        let depthStride = depthStrideA
        let depthStrideB = depthStrideB
        while segment < segments {
            var source = a + (row &* rowStride &+ segment &* segmentStrideA)
            var columns = b + segment &* segmentStrideB
            var k = depth
            while k > 0 {
                tile.add(source, stride: rowStride, times: R.Columns(columns))
                source += depthStride
                columns += depthStrideB
                k &-= 1
            }
            segment &+= 1
        }
        tile.store(target, stride: rowStrideC)
    }

    /// Goes through a tile of whole vectors on the stack.
    private func runPartial(rows: Int, columns: Int, vectors: Int) {
        let width = vectors &* Lanes.scalarCount
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 8 * 64) { tile in
            let memory = tile.baseAddress!
            var row = 0
            while row < rows {
                let count = min(8, rows &- row)
                var whole = self
                whole.a = a + row &* rowStrideA
                whole.c = memory
                whole.rowStrideC = width
                let target = c + row &* rowStrideC
                if accumulate {
                    memory.update(repeating: 0, count: count &* width)
                    for r in 0..<count {
                        (memory + r &* width).update(from: target + r &* rowStrideC, count: columns)
                    }
                }
                whole.run(rows: count, columns: width, vectors: vectors)
                for r in 0..<count {
                    (target + r &* rowStrideC).update(from: memory + r &* width, count: columns)
                }
                row &+= count
            }
        }
    }
}
