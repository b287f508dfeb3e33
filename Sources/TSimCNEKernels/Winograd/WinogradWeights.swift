/// Transformed weights, packed for the products of each frequency's matrix: 3×3 weights per input and
/// output channel become as many as ``WinogradTransforms/matrices``.
struct WinogradWeights<Transforms: WinogradTransforms>: Sendable {
    let inputs: Int
    let outputs: Int
    /// Whether inputs and outputs are those of a data gradient, and the kernel is turned by 180°.
    let turned: Bool
    let precision: Precision
    let panels: Panels

    init(inputs: Int, outputs: Int, turned: Bool, precision: Precision) {
        self.inputs = inputs
        self.outputs = outputs
        self.turned = turned
        self.precision = precision
        panels = Panels(columns: outputs)
    }

    /// Elements of a sum over all inputs.
    var depth: Int { inputs / precision.perElement }
    /// Floats of one matrix, and of all.
    var stride: Int { depth * panels.width }
    var count: Int { Transforms.matrices * stride }

    /// Slices of packing: blocks of input channels.
    var slices: Int { inputs / 16 }
    var scratchCount: Int { turned ? 9 * 16 * outputs : 0 }

    /// Transforms weights (kernel row, kernel column, in, out), or (…, out, in) if turned, of one block.
    func pack(
        slice: Int, weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        guard turned else {
            return pack(slice: slice, into: packed) { tap, row, column in
                (weight + ((tap &* inputs &+ row) &* outputs &+ column)).lanes(0)
            }
        }
        // Weights are transposed in squares of whole cache lines first: column by column each line would be
        // read for every one of its values.
        for tap in 0..<9 {
            let source = weight + ((8 &- tap) &* outputs &* inputs &+ slice &* 16)
            let target = scratch + tap &* 16 &* outputs
            for block in 0..<outputs / 16 {
                for row in 0..<16 {
                    for column in block &* 16..<block &* 16 &+ 16 {
                        target[row &* outputs &+ column] = source[column &* inputs &+ row]
                    }
                }
            }
        }
        let transposed = UnsafePointer(scratch)
        pack(slice: slice, into: packed) { tap, row, column in
            (transposed + ((tap &* 16 &+ row % 16) &* outputs &+ column)).lanes(0)
        }
    }

    @inline(__always)
    private func pack(
        slice: Int, into packed: UnsafeMutablePointer<Float>,
        load: (_ tap: Int, _ row: Int, _ column: Int) -> Lanes
    ) {
        switch precision {
        case .single: pack(SingleNumbers.self, slice: slice, into: packed, load: load)
        case .bfloat16: pack(PairsOfRows.self, slice: slice, into: packed, load: load)
        }
    }

    @inline(__always)
    private func pack<Elements: FrequencyElements>(
        _: Elements.Type, slice: Int, into packed: UnsafeMutablePointer<Float>,
        load: (_ tap: Int, _ row: Int, _ column: Int) -> Lanes
    ) {
        let (stride, depth) = (stride, depth)
        let width = Lanes.scalarCount
        let weights = Transforms.weights
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * weights * width) { buffer in
            let between = buffer.baseAddress!
            for row in slice &* 16..<slice &* 16 &+ 16 {
                var start = packed
                for panel in panels.elements {
                    for v in 0..<panel.vectors {
                        let column = panel.column &+ v &* width
                        for j in 0..<3 {
                            Transforms.weight({ load(3 &* $0 &+ j, row, column) }) {
                                between.store($1, (3 &* $0 &+ j) &* width)
                            }
                        }
                        let cell = start + (row / Elements.rows &* panel.width &+ v &* width)
                        for i in 0..<weights {
                            Transforms.weight({ between.lanes((3 &* i &+ $0) &* width) }) {
                                Elements.store($1, cell + (weights &* i &+ $0) &* stride, row: row)
                            }
                        }
                    }
                    start += depth &* panel.width
                }
            }
        }
    }
}
