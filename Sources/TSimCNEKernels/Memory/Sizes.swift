/// The product of sizes that came from outside, or the largest number where none is so large: in either case what
/// is then asked for is refused rather than worked with.
public func saturatingProduct(_ sizes: Int...) -> Int {
    sizes.reduce(1) { product, size in
        let (result, overflows) = product.multipliedReportingOverflow(by: size)
        return overflows ? .max : result
    }
}

/// The sum of sizes, likewise.
public func saturatingSum(_ sizes: Int...) -> Int {
    sizes.reduce(0) { sum, size in
        let (result, overflows) = sum.addingReportingOverflow(size)
        return overflows ? .max : result
    }
}
