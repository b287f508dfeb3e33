import Support
import Testing

@testable import TSimCNEKernels

/// Which slices a thread takes together, and how many blocks share a reading of the weights, is up to the
/// machine. Outputs and sums have the same bits.
@Suite struct WinogradBlockTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let side: Int
        let images: Int
        let inputs: Int
        let outputs: Int
        var turned = false
        var testDescription: String { "\(images) planes of \(side), \(inputs) to \(outputs)" }
    }

    static let cases = [
        Case(side: 4, images: 70, inputs: 64, outputs: 96),
        Case(side: 8, images: 33, inputs: 32, outputs: 32),
        Case(side: 7, images: 21, inputs: 96, outputs: 48, turned: true),
        Case(side: 16, images: 300, inputs: 16, outputs: 16),
    ]

    @Test(arguments: cases)
    func tilesOfFour(_ c: Case) { check(c, UnitStrideTransforms.self, stride: 1) }

    @Test(arguments: cases)
    func tilesOfThree(_ c: Case) { check(c, ThreeOutputTransforms.self, stride: 1) }

    @Test(arguments: cases)
    func everyOtherOutput(_ c: Case) { check(c, StrideTwoTransforms<PairsOfFour>.self, stride: 2) }

    private func check<T: WinogradTransforms>(_ c: Case, _: T.Type, stride: Int) {
        let geometry = ConvolutionGeometry(
            input: Shape(c.images, c.side, c.side, c.inputs), outputChannels: c.outputs, kernel: 3,
            stride: stride)
        let wanted = outputs(c, geometry, T.self, cache: 1 << 20, together: 1)
        for cache in [1 << 10, 1 << 20, 1 << 30] {
            for together in [2, 3, 100] {
                #expect(outputs(c, geometry, T.self, cache: cache, together: together) == wanted)
            }
        }
    }

    /// Outputs and sums of a pass whose slices are taken at most so many at a time.
    private func outputs<T: WinogradTransforms>(
        _ c: Case, _ geometry: ConvolutionGeometry, _: T.Type, cache: Int, together: Int
    ) -> [UInt32] {
        let form = WinogradConvolution<T>(
            input: geometry.input, output: geometry.output, turned: c.turned, precision: .single, cache: cache
        )
        let input = values(geometry.input.count, seed: 1)
        let weight = values(9 * c.inputs * c.outputs, seed: 2)
        let packed = AlignedBuffer(count: form.packedCount)
        let packing = AlignedBuffer(count: form.packScratchCount)
        for slice in 0..<form.packSlices {
            form.pack(slice: slice, weight: weight, into: packed.pointer, scratch: packing.pointer)
        }
        let output = AlignedBuffer(count: geometry.output.count)
        let sums = AlignedBuffer(
            count: PartialSums.count(slices: form.slices, rows: 3, channels: c.outputs))
        let writer = StatisticsWriter<StoredSingle>(
            sums: PartialSums(sums.pointer, rows: 3, channels: c.outputs))
        let scratch = AlignedBuffer(count: form.scratchCount)
        input.withUnsafeBufferPointer { input in
            var first = 0
            while first < form.slices {
                let next = min(form.slices, first + min(together, form.together))
                form.run(
                    slices: first..<next, reader: PlainReader(values: input.baseAddress!),
                    packed: packed.pointer, writer: writer, output: output.pointer, scratch: scratch.pointer)
                first = next
            }
        }
        return [output, sums].flatMap { buffer in (0..<buffer.count).map { buffer.pointer[$0].bitPattern } }
    }
}
