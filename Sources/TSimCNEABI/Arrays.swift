import CTSimCNE
import TSimCNE

/// The arrays behind a handle of either kind, while no other thread uses it.
private func usingArrays<Result>(
    _ handle: tsimcne_handle, _ body: ([NamedArray], Entry) throws -> Result
) throws -> Result {
    try using(handle, .reads) { entry in
        switch entry.object {
        case .model(let model): return try body(model.arrays, entry)
        case .trainer(let trainer, let options):
            return try using(options.model, .reads) { _ in try body(trainer.arrays, entry) }
        }
    }
}

private func describe(
    _ array: NamedArray, _ entry: Entry, into target: UnsafeMutablePointer<tsimcne_array>
) {
    var result = tsimcne_array()
    result.struct_size = UInt64(MemoryLayout<tsimcne_array>.size)
    result.name = entry.cString(array.name)
    result.data = array.data
    result.count = Int64(array.count)
    let shape = array.shape.map(Int64.init) + [Int64](repeating: 1, count: 4 - array.shape.count)
    result.shape = (shape[0], shape[1], shape[2], shape[3])
    result.rank = Int32(array.shape.count)
    result.kind = Int32(array.kind.rawValue)
    switch array.kind {
    case .sums: result.type = Int32(TSIMCNE_FLOAT64)
    case .neighbors: result.type = Int32(TSIMCNE_INT32)
    default: result.type = Int32(TSIMCNE_FLOAT32)
    }
    target.pointee = result
}

@_cdecl("tsimcne_array_count")
public func tsimcne_array_count(_ handle: tsimcne_handle, _ count: UnsafeMutablePointer<Int64>?) -> Int32 {
    status {
        let target = try required(count, "count")
        target.pointee = try usingArrays(handle) { arrays, _ in Int64(arrays.count) }
    }
}

@_cdecl("tsimcne_array_at")
public func tsimcne_array_at(
    _ handle: tsimcne_handle, _ index: Int64, _ array: UnsafeMutablePointer<tsimcne_array>?
) -> Int32 {
    status {
        let target = try required(array, "array")
        _ = try structure(UnsafePointer(target), "array", \.struct_size)
        try usingArrays(handle) { arrays, entry in
            guard arrays.indices.contains(Int(index)) else {
                throw Failure.argument("index: got \(index), want 0 to \(arrays.count - 1)")
            }
            describe(arrays[Int(index)], entry, into: target)
        }
    }
}

@_cdecl("tsimcne_array_named")
public func tsimcne_array_named(
    _ handle: tsimcne_handle, _ kind: Int32, _ name: UnsafePointer<CChar>?,
    _ array: UnsafeMutablePointer<tsimcne_array>?
) -> Int32 {
    status {
        let target = try required(array, "array")
        _ = try structure(UnsafePointer(target), "array", \.struct_size)
        let name = String(cString: try required(name, "name"))
        try usingArrays(handle) { arrays, entry in
            guard let found = arrays.first(where: { $0.kind.rawValue == Int(kind) && $0.name == name }) else {
                throw Failure.argument("name: no array of kind \(kind) is called \(name)")
            }
            describe(found, entry, into: target)
        }
    }
}
