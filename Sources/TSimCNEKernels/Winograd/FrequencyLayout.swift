/// Where the frequencies of a block of tiles lie in scratch memory: those that are multiplied with the
/// same matrix of weights behind one another, as rows of one product, and within them the ones of a tile.
///
/// With w(r) the weight of an axis' frequency r, the matrix (w(r), w(c)) belongs to one frequency (r, c)
/// or, where weights are shared, to several.
struct FrequencyLayout<Transforms: WinogradTransforms>: Sendable {
    /// Elements of a row.
    let channels: Int
    /// Floats that a frequency of all tiles takes, not a power of two: frequencies of a tile must not
    /// share a cache set.
    let stride: Int
    /// Rows of a tile's frequencies.
    private(set) var rows: [Row] = []

    /// - Parameter stride: that of the widest layout that shares the memory.
    init(tiles: Int, channels: Int, stride: Int? = nil) {
        self.channels = channels
        self.stride = stride ?? FrequencyLayout.stride(tiles: tiles, channels: channels)
        rows = (0..<Transforms.frequencies).map { Row($0, self) }
    }

    static func stride(tiles: Int, channels: Int) -> Int { tiles * channels + 16 }

    var count: Int { Transforms.frequencies * Transforms.frequencies * stride }

    /// Rows that a tile has for a matrix.
    @inline(__always)
    static func rows(_ matrix: Int) -> Int {
        repeats(matrix / Transforms.weights) &* repeats(matrix % Transforms.weights)
    }

    /// Offset of the rows for a matrix.
    @inline(__always)
    func first(_ matrix: Int) -> Int {
        let (row, column) = (matrix / Transforms.weights, matrix % Transforms.weights)
        return stride &* (Transforms.frequencies &* row &+ column &* FrequencyLayout.repeats(row))
    }

    @inline(__always)
    private static func repeats(_ weight: Int) -> Int {
        weight &+ 1 == Transforms.weights ? Transforms.shared : 1
    }

    /// A row of a tile's frequencies: a line of single ones, and one of those that share a weight.
    struct Row: Sendable {
        private let single: Int
        private let singleStride: Int
        private let singleStep: Int
        private let shared: Int
        private let sharedStride: Int
        private let sharedStep: Int

        fileprivate init(_ row: Int, _ layout: FrequencyLayout) {
            let last = Transforms.weights &- 1
            let (weight, place) = row < last ? (row, 0) : (last, row &- last)
            let repeats = FrequencyLayout.repeats(weight)
            let (stride, channels) = (layout.stride, layout.channels)
            single = layout.first(weight &* Transforms.weights) &+ place &* channels
            singleStride = repeats &* stride
            singleStep = repeats &* channels
            shared =
                layout.first(weight &* Transforms.weights &+ last) &+ place &* Transforms.shared &* channels
            sharedStride = channels
            sharedStep = repeats &* Transforms.shared &* channels
        }

        /// The frequencies of one tile.
        @inline(__always)
        func place(tile: Int, in memory: UnsafeMutablePointer<Float>) -> Place {
            Place(
                single: memory + (single &+ tile &* singleStep), singleStride: singleStride,
                shared: memory + (shared &+ tile &* sharedStep), sharedStride: sharedStride)
        }
    }

    struct Place {
        fileprivate let single: UnsafeMutablePointer<Float>
        fileprivate let singleStride: Int
        fileprivate let shared: UnsafeMutablePointer<Float>
        fileprivate let sharedStride: Int

        @inline(__always)
        func pointer(_ column: Int) -> UnsafeMutablePointer<Float> {
            let last = Transforms.weights &- 1
            return column < last
                ? single + column &* singleStride : shared + (column &- last) &* sharedStride
        }
        @inline(__always)
        func load(_ column: Int) -> Lanes { pointer(column).lanes(0) }
    }
}
