import Support
import Testing

@testable import TSimCNE

@Suite struct CropTests {
    /// Crops are compared with an independent simulation of the documented procedure.
    @Test func cropsHaveTheDocumentedDistribution() {
        let size = 32
        var random = RandomNumbers(seed: 11, purpose: .view)
        let distribution = RandomResizedCrop(area: 0.2...1, ratio: 0.75...4.0 / 3)
        let crops = (0..<20000).map { _ in distribution.draw(height: size, width: size, &random) }
        #expect(
            crops.allSatisfy {
                $0.top >= 0 && $0.left >= 0 && $0.top + $0.height <= 32 && $0.left + $0.width <= 32
            })
        // Positions are uniform over all that fit: their mean share of the free room is one half.
        let rooms = crops.filter { $0.height < 32 }.map { Double($0.top) / Double(32 - $0.height) }
        let mean = rooms.reduce(0, +) / Double(rooms.count)
        #expect(abs(mean - 0.5) < 0.01)
        // The logarithm of the ratio is symmetric, and areas fill [0.2, 1].
        let ratio = crops.reduce(0.0) { $0 + Double($1.width - $1.height) } / 20000
        #expect(abs(ratio) < 0.15)
        let areas = crops.map { Double($0.width * $0.height) / 1024 }
        #expect(areas.min()! > 0.17 && areas.max()! <= 1)
        // Below 0.5 every try fits, so areas there are uniform: halves of [0.25, 0.45] are equal.
        let lower = areas.filter { $0 > 0.25 && $0 <= 0.35 }.count
        let upper = areas.filter { $0 > 0.35 && $0 <= 0.45 }.count
        #expect(abs(Double(lower - upper)) < 4 * Double(lower + upper).squareRoot())
    }

    /// A part of an image of one channel, made as large as the image.
    static func resized(_ crop: Crop, of image: [Float], height: Int, width: Int) -> [Float] {
        let planar = PlanarImage(image, height: height, width: width, channels: 1, .bytes)
        var scratch = [Float](
            repeating: 0, count: Crop.scratchCount(height: height, width: width, channels: 1))
        image.map { UInt8($0) }.withUnsafeBytes {
            let images = ImageBatch(
                data: $0.baseAddress!, count: 1, height: height, width: width, channels: 1, element: .uint8)
            crop.resize(
                images, at: 0, mirrored: Orientation(), into: planar.planes, scratch: &scratch)
        }
        return planar.values
    }

    /// Expected values are Pillow's, whose weights have 8 bits less: a level may differ by one where they
    /// round.
    @Test func cropIsResizedAsPillowDoes() {
        let image = (0..<54).map { Float($0 * 37 % 256) }
        let output = CropTests.resized(
            Crop(top: 1, left: 2, height: 4, width: 5), of: image, height: 6, width: 9)
        let wanted: [Float] = [
            151, 163, 184, 204, 225, 103, 10, 31, 43, 190, 159, 109, 115, 136, 85, 49, 70, 82,
            198, 139, 41, 38, 59, 80, 100, 121, 133, 79, 77, 74, 89, 110, 131, 151, 172, 184,
            88, 100, 121, 141, 162, 183, 189, 138, 108, 126, 138, 159, 179, 200, 221, 213, 91, 18,
        ]
        #expect(zip(output, wanted).allSatisfy { abs($0 - $1) <= 1 })
        #expect(zip(output, wanted).filter { $0 != $1 }.count <= 3)
    }

    @Test func cropsKeepConstants() {
        let constant = [Float](repeating: 77, count: 9 * 12)
        for crop in [Crop(top: 1, left: 2, height: 4, width: 5), Crop(top: 0, left: 0, height: 9, width: 12)]
        {
            #expect(CropTests.resized(crop, of: constant, height: 9, width: 12) == constant)
        }
    }

    /// The general filter, which widens where it makes smaller, has two taps and no third here.
    @Test func tapsAreTheTriangleFilters() {
        for full in [1, 8, 13, 32, 96, 255] {
            for size in 1...full {
                let scale = Double(size) / Double(full)
                let taps = [Tap](unsafeUninitializedCapacity: full) {
                    Crop.write($0.baseAddress!, from: size, to: full, reversed: false)
                    $1 = full
                }
                for (index, tap) in taps.enumerated() {
                    let centre = (Double(index) + 0.5) * scale
                    let weights = (0..<size).map { max(0, 1 - abs(Double($0) - centre + 0.5)) }
                    let total = weights.reduce(0, +)
                    var found = [Float](repeating: 0, count: size)
                    found[Int(tap.first)] += tap.firstWeight
                    found[Int(tap.second)] += tap.secondWeight
                    #expect(found == weights.map { Float(Double(Float($0)) / total) })
                }
            }
        }
    }
}
