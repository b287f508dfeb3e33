import CTSimCNE

/// A structure of numbers by its table in `tsimcne.h`, whose memory lives as long as the library.
struct NumberTable: @unchecked Sendable {
    typealias Row = UnsafePointer<tables_number>

    /// The rows in the table's order.
    let rows: [(name: String, row: Row)]

    init(_ name: String) {
        // A name that the header has not is a mistake of this library's, and ends its first test.
        let table = tables_structure_named(name)!.pointee
        rows = (0..<Int(table.count)).map { i in
            let row = table.numbers + i
            return (String(cString: row.pointee.name), row)
        }
    }

    /// Checks numbers of a structure against the limits of their rows; a number `…_min` against its `…_max` too.
    ///
    /// - Parameters:
    ///   - names: the numbers that are looked at; nil for all.
    ///   - prefix: what stands before a number's name in an error.
    func check<S>(_ structure: S, only names: [String]? = nil, _ prefix: String) throws {
        try withUnsafeBytes(of: structure) { bytes in
            for (name, row) in rows where names?.contains(name) ?? true {
                let value = tables_get(bytes.baseAddress, row)
                let least = rounded(row.pointee.least, row)
                var largest = rounded(row.pointee.largest, row)
                if name.hasSuffix("_min"), let partner = self.row(name.dropLast(3) + "max") {
                    largest = min(largest, tables_get(bytes.baseAddress, partner))
                }
                // Not a number is in no range.
                guard least <= value, value <= largest else {
                    throw Failure.argument(
                        "\(prefix).\(name): got \(written(value, row)), want "
                            + "\(written(row.pointee.least, row)) to \(written(largest, row))")
                }
            }
        }
    }

    /// A limit as the number's own type has it: a float of a millionth is less than a millionth.
    private func rounded(_ limit: Double, _ row: Row) -> Double {
        row.pointee.type == TABLES_FLOAT ? Double(Float(limit)) : limit
    }

    private func row(_ name: String) -> Row? { rows.first { $0.name == name }?.row }

    private func written(_ value: Double, _ row: Row) -> String {
        let isReal = row.pointee.type == TABLES_FLOAT || row.pointee.type == TABLES_DOUBLE
        // A whole number beyond 2⁵³ is rounded; it may no longer be one of 64 bits.
        return isReal ? "\(value)" : Int64(exactly: value).map(String.init) ?? "\(value)"
    }
}
