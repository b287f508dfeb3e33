import Support
import Testing

@testable import TSimCNE

@Suite struct AugmentationTests {
    static func view(
        _ bytes: [UInt8], _ shape: (Int, Int, Int), _ augmentation: Augmentation, seed: UInt64 = 1
    ) -> [Float] {
        let (h, w, c) = shape
        var output = [Float](repeating: 0, count: h * w * c)
        var scratch = [Float](
            repeating: 0, count: Augmentation.scratchCount(height: h, width: w, channels: c))
        bytes.withUnsafeBytes {
            let images = ImageBatch(
                data: $0.baseAddress!, count: 1, height: h, width: w, channels: c, element: .uint8)
            augmentation.makeView(
                of: images, at: 0, imageIndex: 0, seed: seed, epoch: 0, view: 0, into: &output,
                scratch: &scratch)
        }
        return output
    }

    static func levels(_ view: [Float]) -> [Int] { view.map { Int(($0 * 255).rounded()) } }

    @Test(arguments: [(8, 8, 1), (9, 13, 3), (8, 30, 5)])
    func noAugmentationIsTheImageAndViewsStayInRange(h: Int, w: Int, c: Int) {
        let bytes = values(h * w * c, seed: 2).map { UInt8(($0 + 1) * 127) }
        #expect(
            AugmentationTests.levels(AugmentationTests.view(bytes, (h, w, c), .none)) == bytes.map(Int.init))
        for seed in 0..<50 as Range<UInt64> {
            for preset in [Augmentation.natural, .text, .microscopy] {
                let view = AugmentationTests.view(bytes, (h, w, c), preset, seed: seed)
                #expect(view.allSatisfy { $0 >= 0 && $0 <= 1 })
            }
        }
    }

    @Test func flipsAndTurnsMovePixelsExactly() {
        // 2 rows of 3 pixels with 2 channels.
        let image: [Float] = [1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60]
        var horizontal = image
        Flips.horizontal(&horizontal, height: 2, width: 3, channels: 2)
        #expect(horizontal == [3, 30, 2, 20, 1, 10, 6, 60, 5, 50, 4, 40])
        var vertical = image
        Flips.vertical(&vertical, height: 2, width: 3, channels: 2)
        #expect(vertical == [4, 40, 5, 50, 6, 60, 1, 10, 2, 20, 3, 30])
        var scratch = [Float](repeating: 0, count: 12)
        for (turns, wanted) in [(1, [2, 4, 1, 3]), (2, [4, 3, 2, 1]), (3, [3, 1, 4, 2])] as [(Int, [Float])] {
            var square: [Float] = [1, 2, 3, 4]
            Flips.turn(&square, turns: turns, height: 2, width: 2, channels: 1, scratch: &scratch)
            #expect(square == wanted)
        }
    }

    /// Expected levels are Pillow's (ImageEnhance, convert("L"), HSV shift) for the same pixels.
    @Test func grayscaleIsPillows() {
        var pixels: [Float] = [200, 30, 60, 0, 255, 0, 17, 18, 19]
        Grayscale.apply(&pixels, pixels: 3, levels: Levels(.uint8))
        #expect(pixels == [84, 84, 84, 150, 150, 150, 18, 18, 18])
    }

    @Test func jitterAppliesOperationsInTheGivenOrder() {
        let source: [Float] = [200, 30, 60, 10, 100, 250]
        func jitter(_ order: [ColorJitter.Operation]) -> [Float] {
            var pixels = source
            ColorJitter(order: order, brightness: 1.25, contrast: 0.5, saturation: 0, hue: 0)
                .apply(&pixels, pixels: 2, channels: 3, levels: Levels(.uint8))
            return pixels
        }
        #expect(jitter([.brightness]) == [250, 37, 75, 12, 125, 255])
        // Grey levels 84 and 90: their mean is 87.
        #expect(jitter([.contrast]) == [143, 58, 73, 48, 93, 168])
        #expect(jitter([.saturation]) == [84, 84, 84, 90, 90, 90])
        #expect(jitter([.saturation, .brightness]) == [105, 105, 105, 112, 112, 112])
        #expect(jitter([.brightness, .saturation]) == [105, 105, 105, 106, 106, 106])
        var grey: [Float] = [200, 30, 61, 10]
        ColorJitter(
            order: [.hue, .contrast, .saturation, .brightness], brightness: 1.25, contrast: 0.5,
            saturation: 0, hue: 0.1
        ).apply(&grey, pixels: 4, channels: 1, levels: Levels(.uint8))
        // The mean is 75: contrast gives 137, 52, 68, 42.
        #expect(grey == [171, 65, 85, 52])
    }

    /// Pillow's: HSV, hue + int(255 · turns), RGB.
    @Test(
        arguments: [
            (0.1, [200, 94, 31, 61, 11, 250, 17, 17, 19, 61, 91, 40]),
            (-0.07, [200, 31, 130, 11, 197, 250, 17, 19, 19, 91, 71, 40]),
            (0.5, [31, 200, 162, 250, 151, 11, 19, 18, 17, 40, 40, 91]),
        ] as [(Float, [Float])])
    func hueOfEightBitLevelsIsPillows(turns: Float, wanted: [Float]) {
        var pixels: [Float] = [200, 30, 60, 10, 100, 250, 17, 18, 19, 90, 91, 40]
        Hue.shift(&pixels, pixels: 4, by: turns, levels: Levels(.uint8))
        #expect(pixels == wanted)
    }

    @Test func hueTurnsTheCircle() {
        for element in [ImageBatch.Element.uint8, .float32] {
            let levels = Levels(element)
            var red: [Float] = [levels.maximum, 0, 0]
            Hue.shift(&red, pixels: 1, by: 1.0 / 3, levels: levels)
            #expect(abs(red[0]) <= 0.01 * levels.maximum && red[1] == levels.maximum && red[2] == 0)
            var grey: [Float] = [levels.maximum / 2, levels.maximum / 2, levels.maximum / 2]
            Hue.shift(&grey, pixels: 1, by: 0.1, levels: levels)
            #expect(grey[0] == grey[1] && grey[1] == grey[2])
        }
    }

    /// Against an independent simulation of the documented procedure.
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

    /// Pillow's, whose weights have 8 bits less: a level may differ by one where they round.
    @Test func cropIsResizedAsPillowDoes() {
        let image = (0..<54).map { Float($0 * 37 % 256) }
        var (output, between, scratch) = (
            [Float](repeating: 0, count: 54), [Float](repeating: 0, count: 54),
            [Float](repeating: 0, count: 32)
        )
        Crop(top: 1, left: 2, height: 4, width: 5).resize(
            image, height: 6, width: 9, channels: 1, levels: Levels(.uint8), into: &output,
            between: &between, scratch: &scratch)
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
        var (output, between, scratch) = (
            [Float](repeating: 0, count: 108), [Float](repeating: 0, count: 108),
            [Float](repeating: 0, count: 32)
        )
        for crop in [Crop(top: 1, left: 2, height: 4, width: 5), Crop(top: 0, left: 0, height: 9, width: 12)]
        {
            crop.resize(
                constant, height: 9, width: 12, channels: 1, levels: Levels(.uint8), into: &output,
                between: &between, scratch: &scratch)
            #expect(output.allSatisfy { $0 == 77 })
        }
    }
}
