/// How the columns of a matrix are cut into panels of one, two or four vectors.
///
/// The widest panels come first; the last may be filled up with zeros.
struct Panels: Sendable {
    struct Element: Sendable {
        let column: Int
        let columns: Int
        let vectors: Int
        var width: Int { vectors * Lanes.scalarCount }
    }

    let elements: [Element]
    let columns: Int
    /// Columns with the filling.
    let width: Int

    init(columns: Int) {
        var elements: [Element] = []
        var column = 0
        while column < columns {
            let remaining = columns - column
            var vectors = TileProduct.widestPanel
            while vectors > 1 && remaining <= vectors / 2 * Lanes.scalarCount { vectors /= 2 }
            let element = Element(
                column: column, columns: min(remaining, vectors * Lanes.scalarCount), vectors: vectors)
            elements.append(element)
            column += element.columns
        }
        self.elements = elements
        self.columns = columns
        width = elements.reduce(0) { $0 + $1.width }
    }
}

extension Panels {
    /// Writes a matrix of `rows` rows panel by panel: within a panel, rows follow one another.
    ///
    /// Element (r, c) is read at `source[r * rowStride + c * columnStride]`. A panel begins at
    /// `rows * (filled columns before it)`.
    func pack(
        rows: Int, source: UnsafePointer<Float>, rowStride: Int, columnStride: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        var start = target
        for panel in elements {
            let first = source + panel.column &* columnStride
            for r in 0..<rows {
                let line = start + r &* panel.width
                let values = first + r &* rowStride
                if columnStride == 1 {
                    line.update(from: values, count: panel.columns)
                } else {
                    for c in 0..<panel.columns { line[c] = values[c &* columnStride] }
                }
                for c in panel.columns..<panel.width { line[c] = 0 }
            }
            start += rows &* panel.width
        }
    }
}
