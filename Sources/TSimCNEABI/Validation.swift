import CTSimCNE
import TSimCNEKernels

/// The value behind a pointer, checked for null and for the size its caller was compiled with.
func structure<S>(_ pointer: UnsafePointer<S>?, _ name: String, _ size: KeyPath<S, UInt64>) throws -> S {
    let value = try required(pointer, name).pointee
    let wanted = UInt64(MemoryLayout<S>.size)
    guard value[keyPath: size] == wanted else {
        throw Failure.argument(
            "\(name).struct_size: got \(value[keyPath: size]), want \(wanted); header and library differ")
    }
    return value
}

func required<P>(_ pointer: P?, _ name: String) throws -> P {
    guard let pointer else { throw Failure.argument("\(name): got NULL") }
    return pointer
}

func check<V: Comparable>(_ value: V, in range: ClosedRange<V>, _ name: String) throws {
    guard range.contains(value) else {
        throw Failure.argument("\(name): got \(value), want \(range.lowerBound) to \(range.upperBound)")
    }
}

/// What a number of the header stands for, of all in the header's order.
func choice<Value>(_ number: Int32, of all: [Value], _ name: String) throws -> Value {
    try check(number, in: 0...Int32(all.count - 1), name)
    return all[Int(number)]
}

func threadCount(_ threads: Int32) throws -> Int {
    try check(threads, in: 0...1024, "threads")
    return threads == 0 ? usableCores() : Int(threads)
}
