// Register tiles are composed from types: a panel is one to four vectors side by side, a row block is
// one row of a panel or two row blocks of that panel on top of each other. Inlined, each composition is a loop body
// whose accumulators all live in registers.

/// Neighbouring columns of a row, as whole vectors.
protocol Panel {
    static var vectors: Int { get }
    init()
    init(_ source: UnsafePointer<Float>)
    func store(_ target: UnsafeMutablePointer<Float>)
    /// `self += a * b`, as elements are multiplied.
    mutating func add(_ a: Lanes, times b: Self)
}

struct SinglePanel<Element: ProductElement>: Panel {
    static var vectors: Int { 1 }
    var v0: Lanes

    @inline(__always) init() { v0 = .zero }
    @inline(__always) init(_ source: UnsafePointer<Float>) { v0 = source.lanes(0) }
    @inline(__always) func store(_ target: UnsafeMutablePointer<Float>) { target.store(v0, 0) }
    @inline(__always) mutating func add(_ a: Lanes, times b: Self) { v0 = Element.multiplyAdd(a, b.v0, v0) }
}

/// Two panels side by side.
struct Beside<P: Panel>: Panel {
    static var vectors: Int { 2 * P.vectors }
    var left: P
    var right: P

    @inline(__always) init() {
        left = P()
        right = P()
    }
    @inline(__always) init(_ source: UnsafePointer<Float>) {
        left = P(source)
        right = P(source + P.vectors * Lanes.scalarCount)
    }
    @inline(__always) func store(_ target: UnsafeMutablePointer<Float>) {
        left.store(target)
        right.store(target + P.vectors * Lanes.scalarCount)
    }
    @inline(__always) mutating func add(_ a: Lanes, times b: Self) {
        left.add(a, times: b.left)
        right.add(a, times: b.right)
    }
}

typealias PairPanel<Element: ProductElement> = Beside<SinglePanel<Element>>
typealias QuadPanel<Element: ProductElement> = Beside<PairPanel<Element>>

/// Rows of accumulators of the same panel.
protocol RowBlock {
    associatedtype Columns: Panel
    static var rows: Int { get }
    init()
    init(_ source: UnsafePointer<Float>, stride: Int)
    func store(_ target: UnsafeMutablePointer<Float>, stride: Int)
    /// Row r += a[r * stride] * b
    mutating func add(_ a: UnsafePointer<Float>, stride: Int, times b: Columns)
}

struct OneRow<P: Panel>: RowBlock {
    static var rows: Int { 1 }
    var panel: P

    @inline(__always) init() { panel = P() }
    @inline(__always) init(_ source: UnsafePointer<Float>, stride: Int) { panel = P(source) }
    @inline(__always) func store(_ target: UnsafeMutablePointer<Float>, stride: Int) {
        panel.store(target)
    }
    @inline(__always) mutating func add(_ a: UnsafePointer<Float>, stride: Int, times b: P) {
        panel.add(Lanes(repeating: a[0]), times: b)
    }
}

/// Two row blocks, one under the other.
struct Stacked<U: RowBlock, L: RowBlock>: RowBlock where U.Columns == L.Columns {
    static var rows: Int { U.rows + L.rows }
    var upper: U
    var lower: L

    @inline(__always) init() {
        upper = U()
        lower = L()
    }
    @inline(__always) init(_ source: UnsafePointer<Float>, stride: Int) {
        upper = U(source, stride: stride)
        lower = L(source + U.rows &* stride, stride: stride)
    }
    @inline(__always) func store(_ target: UnsafeMutablePointer<Float>, stride: Int) {
        upper.store(target, stride: stride)
        lower.store(target + U.rows &* stride, stride: stride)
    }
    @inline(__always) mutating func add(_ a: UnsafePointer<Float>, stride: Int, times b: U.Columns) {
        upper.add(a, stride: stride, times: b)
        lower.add(a + U.rows &* stride, stride: stride, times: b)
    }
}

typealias TwoRows<P: Panel> = Stacked<OneRow<P>, OneRow<P>>
typealias FourRows<P: Panel> = Stacked<TwoRows<P>, TwoRows<P>>
typealias SixRows<P: Panel> = Stacked<FourRows<P>, TwoRows<P>>
typealias EightRows<P: Panel> = Stacked<FourRows<P>, FourRows<P>>
