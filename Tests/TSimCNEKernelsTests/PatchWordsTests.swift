import Support
import TSimCNEKernels
import Testing

@Suite struct PatchWordsTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var height = 8
        var width = 8
        var channels = 1
        var side = 3
        var stride = 1
        var components = 9
        var words = 20
        var dimension = 5
        var cells = 2

        var grid: PatchGrid {
            PatchGrid(height: height, width: width, channels: channels, side: side, stride: stride)
        }
        var testDescription: String {
            "\(height)×\(width)×\(channels), \(side) by \(stride), \(components), \(words) words, \(dimension)"
        }
    }

    static let cases = [
        Case(),
        Case(
            height: 11, width: 8, channels: 3, side: 4, stride: 2, components: 20, words: 300, dimension: 17,
            cells: 1),
        Case(
            height: 9, width: 14, channels: 2, side: 6, stride: 3, components: 72, words: 257, dimension: 64,
            cells: 2),
        Case(side: 8, components: 64, words: 1, dimension: 1, cells: 1),
        Case(side: 1, stride: 2, components: 1, words: 513, cells: 4),
    ]

    /// An image, the words and their vectors.
    struct Input {
        let pixels, whitening, words, vectors: [Float]

        init(_ c: Case) {
            pixels = Support.values(c.height * c.width * c.channels, seed: 1)
            whitening = Support.values(c.components * c.grid.depth, seed: 2)
            let length = c.components
            var words = Support.values(c.words * length, seed: 3)
            for w in 0..<c.words {
                let norm = words[w * length..<(w + 1) * length].reduce(0) { $0 + $1 * $1 }.squareRoot()
                for d in 0..<length { words[w * length + d] /= norm }
            }
            self.words = words
            vectors = Support.values(c.words * c.dimension, seed: 4)
        }
    }

    static func describe(
        _ c: Case, _ input: Input, pixels: [Float]? = nil, threshold: Float, withVectors: Bool
    ) -> [Float] {
        input.vectors.withUnsafeBufferPointer { vectors in
            let words = PatchWords(
                grid: c.grid, whitening: input.whitening, components: c.components, words: input.words,
                count: c.words,
                threshold: threshold,
                vectors: withVectors
                    ? .init(values: vectors.baseAddress!, dimension: c.dimension, cells: c.cells) : nil)
            var output = [Float](repeating: .nan, count: words.outputs)
            let scratch = AlignedBuffer(count: words.scratchCount)
            words.describe(pixels ?? input.pixels, into: &output, scratch: scratch.pointer)
            return output
        }
    }

    @Test(arguments: cases)
    func sharesOfWordsAreThoseOfNaiveLoops(c: Case) {
        let input = Input(c)
        let wanted = PatchesReference.words(
            of: doubles(input.pixels), c.grid, doubles(input.whitening), doubles(input.words))
        // No product lies near the threshold, so that rounding decides nothing.
        let threshold = PatchesReference.gap(in: wanted.flatMap { $0 }, about: 0.2)
        let output = PatchWordsTests.describe(c, input, threshold: Float(threshold), withVectors: false)
        for w in 0..<c.words {
            let share = Double(wanted.count { $0[w] >= threshold }) / Double(wanted.count)
            #expect(abs(Double(output[w]) - share) < 1e-5)
        }
    }

    @Test(arguments: cases)
    func vectorsAreThoseOfNaiveLoops(c: Case) {
        let input = Input(c)
        let products = PatchesReference.words(
            of: doubles(input.pixels), c.grid, doubles(input.whitening), doubles(input.words))
        let threshold = PatchesReference.gap(in: products.flatMap { $0 }, about: 0.2)
        let output = PatchWordsTests.describe(c, input, threshold: Float(threshold), withVectors: true)
        let wanted = PatchesReference.pooled(
            products, c.grid, threshold: threshold, vectors: doubles(input.vectors), dimension: c.dimension,
            cells: c.cells)
        #expect(relativeError(output, wanted) < 1e-4)
    }

    @Test func aPlainImageHasNoWords() {
        let c = Case()
        let plain = [Float](repeating: 0.5, count: c.height * c.width)
        let output = PatchWordsTests.describe(
            c, Input(c), pixels: plain, threshold: 0.3, withVectors: true)
        #expect(output.allSatisfy { $0 == 0 })
    }
}
