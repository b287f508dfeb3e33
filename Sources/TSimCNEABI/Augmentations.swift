import CTSimCNE
import TSimCNE

private let table = NumberTable("augmentation")

/// Where the rows of the header's table are in Swift's structure.
private let paths: [WritableKeyPath<Augmentation, Double> & Sendable] = table.rows.map { name, _ in
    // `Augmentation.numbers` has every row; a test compares them.
    Augmentation.numbers.first { $0.name == name }!.path
}

func augmentation(_ pointer: UnsafePointer<tsimcne_augmentation>?) throws -> Augmentation {
    let given = try structure(pointer, "augmentation", \.struct_size)
    try table.check(given, "augmentation")
    var result = Augmentation()
    withUnsafeBytes(of: given) { bytes in
        for ((_, row), path) in zip(table.rows, paths) {
            result[keyPath: path] = tables_get(bytes.baseAddress, row)
        }
    }
    return result
}

@_cdecl("tsimcne_augmentation_preset")
public func tsimcne_augmentation_preset(
    _ preset: Int32, _ augmentation: UnsafeMutablePointer<tsimcne_augmentation>?
) -> Int32 {
    status {
        let target = try required(augmentation, "augmentation")
        _ = try structure(UnsafePointer(target), "augmentation", \.struct_size)
        let values: Augmentation
        switch Int(preset) {
        case TSIMCNE_PRESET_NONE: values = .none
        case TSIMCNE_PRESET_NATURAL: values = .natural
        case TSIMCNE_PRESET_TEXT: values = .text
        case TSIMCNE_PRESET_MICROSCOPY: values = .microscopy
        default:
            throw Failure.argument("preset: got \(preset), want 0 to \(TSIMCNE_PRESET_COUNT - 1)")
        }
        for ((_, row), path) in zip(table.rows, paths) {
            tables_set(target, row, values[keyPath: path])
        }
    }
}
