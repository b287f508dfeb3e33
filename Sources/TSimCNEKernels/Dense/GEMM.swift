/// Floats of scratch that ``gemm(m:n:k:a:rowStrideA:columnStrideA:b:rowStrideB:columnStrideB:c:rowStrideC:accumulate:scratch:)`` wants.
public func gemmScratchCount(n: Int, k: Int) -> Int { Panels(columns: n).width * k }

/// C (m × n) = A (m × k) · B (k × n), or C += A · B: row-major C, any strides of A and B.
///
/// Each element is summed in the order of k, in blocks that depend on n and k only: bits do not depend
/// on how rows are distributed over calls.
public func gemm(
    m: Int, n: Int, k: Int,
    a: UnsafePointer<Float>, rowStrideA: Int, columnStrideA: Int,
    b: UnsafePointer<Float>, rowStrideB: Int, columnStrideB: Int,
    c: UnsafeMutablePointer<Float>, rowStrideC: Int,
    accumulate: Bool, scratch: UnsafeMutablePointer<Float>
) {
    let panels = Panels(columns: n)
    panels.pack(rows: k, source: b, rowStride: rowStrideB, columnStride: columnStrideB, into: scratch)
    multiplyPacked(
        m: m, k: k, a: a, rowStrideA: rowStrideA, columnStrideA: columnStrideA,
        panels: panels, packed: scratch, c: c, rowStrideC: rowStrideC, accumulate: accumulate)
}

/// Packs a matrix (element (r, c) at `source[r * rowStride + c * columnStride]`) as B of
/// ``multiplyPackedMatrix(m:n:k:a:rowStrideA:packed:c:rowStrideC:accumulate:)``, into
/// ``gemmScratchCount(n:k:)`` floats.
public func packMatrix(
    rows: Int, columns: Int, source: UnsafePointer<Float>, rowStride: Int, columnStride: Int,
    into packed: UnsafeMutablePointer<Float>
) {
    Panels(columns: columns).pack(
        rows: rows, source: source, rowStride: rowStride, columnStride: columnStride, into: packed)
}

/// The same as ``gemm(m:n:k:a:rowStrideA:columnStrideA:b:rowStrideB:columnStrideB:c:rowStrideC:accumulate:scratch:)``
/// with rows of A contiguous and B packed before.
public func multiplyPackedMatrix(
    m: Int, n: Int, k: Int, a: UnsafePointer<Float>, rowStrideA: Int, packed: UnsafePointer<Float>,
    c: UnsafeMutablePointer<Float>, rowStrideC: Int, accumulate: Bool
) {
    multiplyPacked(
        m: m, k: k, a: a, rowStrideA: rowStrideA, columnStrideA: 1, panels: Panels(columns: n),
        packed: packed, c: c, rowStrideC: rowStrideC, accumulate: accumulate)
}

/// Multiplies in the same way with B packed before; `k` and the strides count elements of the precision.
func multiplyPacked(
    m: Int, k: Int,
    a: UnsafePointer<Float>, rowStrideA: Int, columnStrideA: Int,
    panels: Panels, packed: UnsafePointer<Float>,
    c: UnsafeMutablePointer<Float>, rowStrideC: Int, accumulate: Bool, precision: Precision = .single
) {
    if k == 0 {
        if !accumulate {
            for r in 0..<m { (c + r &* rowStrideC).update(repeating: 0, count: panels.columns) }
        }
        return
    }
    var start = packed
    for panel in panels.elements {
        let block = depthBlock(panelWidth: panel.width)
        var first = 0
        while first < k {
            let depth = min(block, k &- first)
            TileProduct(
                a: a + first &* columnStrideA, rowStrideA: rowStrideA, depthStrideA: columnStrideA,
                b: start + first &* panel.width, depthStrideB: panel.width,
                depth: depth, c: c + panel.column, rowStrideC: rowStrideC,
                accumulate: accumulate || first > 0, precision: precision
            ).run(rows: m, columns: panel.columns, vectors: panel.vectors)
            first &+= depth
        }
        start += k &* panel.width
    }
}

/// Depth at which a block of a packed panel fills half of a 48 KiB first-level cache.
func depthBlock(panelWidth: Int) -> Int { 6144 / panelWidth }
