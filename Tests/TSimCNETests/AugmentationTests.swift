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

    /// The whole image, mirrored and turned.
    static func oriented(_ image: [Float], _ shape: (Int, Int, Int), _ orientation: Orientation) -> [Float] {
        let (h, w, c) = shape
        let bytes = image.map { UInt8($0) }
        let planar = PlanarImage(image, height: h, width: w, channels: c, .bytes)
        var scratch = [Float](repeating: 0, count: Crop.scratchCount(height: h, width: w, channels: c))
        bytes.withUnsafeBytes {
            let images = ImageBatch(
                data: $0.baseAddress!, count: 1, height: h, width: w, channels: c, element: .uint8)
            Crop(top: 0, left: 0, height: h, width: w)
                .resize(images, at: 0, mirrored: orientation, into: planar.planes, scratch: &scratch)
        }
        if orientation.isTransposed { planar.planes.transpose() }
        return planar.values
    }

    @Test func flipsAndTurnsMovePixelsExactly() {
        // 2 rows of 3 pixels with 2 channels.
        let image: [Float] = [1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60]
        var horizontal = Orientation()
        horizontal.reversesColumns = true
        #expect(
            AugmentationTests.oriented(image, (2, 3, 2), horizontal)
                == [3, 30, 2, 20, 1, 10, 6, 60, 5, 50, 4, 40])
        var vertical = Orientation()
        vertical.reversesRows = true
        #expect(
            AugmentationTests.oriented(image, (2, 3, 2), vertical)
                == [4, 40, 5, 50, 6, 60, 1, 10, 2, 20, 3, 30])
        let turned = [[1, 2, 3, 4], [2, 4, 1, 3], [4, 3, 2, 1], [3, 1, 4, 2]] as [[Float]]
        for (turns, wanted) in turned.enumerated() {
            var orientation = Orientation()
            orientation.turn(turns)
            #expect(AugmentationTests.oriented([1, 2, 3, 4], (2, 2, 1), orientation) == wanted)
        }
        // A flip and then a turn.
        horizontal.turn(1)
        #expect(AugmentationTests.oriented([1, 2, 3, 4], (2, 2, 1), horizontal) == [1, 3, 2, 4])
    }

    /// Pixels in one row, 8-bit, after what `change` does to them.
    static func changed(_ pixels: [Float], channels: Int = 3, _ change: (Planes) -> Void) -> [Float] {
        let image = PlanarImage(
            pixels, height: 1, width: pixels.count / channels, channels: channels, .bytes)
        change(image.planes)
        return image.values
    }

    /// Expected levels are Pillow's (ImageEnhance, convert("L"), HSV shift) for the same pixels.
    @Test func grayscaleIsPillows() {
        #expect(
            AugmentationTests.changed([200, 30, 60, 0, 255, 0, 17, 18, 19]) { $0.makeGray(.bytes) }
                == [84, 84, 84, 150, 150, 150, 18, 18, 18])
    }

    @Test func jitterAppliesOperationsInTheGivenOrder() {
        func jitter(_ order: [ColorJitter.Operation]) -> [Float] {
            AugmentationTests.changed([200, 30, 60, 10, 100, 250]) {
                ColorJitter(order: order, brightness: 1.25, contrast: 0.5, saturation: 0, hue: 0)
                    .apply(to: $0, .bytes)
            }
        }
        #expect(jitter([.brightness]) == [250, 37, 75, 12, 125, 255])
        // Grey levels 84 and 90: their mean is 87.
        #expect(jitter([.contrast]) == [143, 58, 73, 48, 93, 168])
        #expect(jitter([.saturation]) == [84, 84, 84, 90, 90, 90])
        #expect(jitter([.saturation, .brightness]) == [105, 105, 105, 112, 112, 112])
        #expect(jitter([.brightness, .saturation]) == [105, 105, 105, 106, 106, 106])
        let grey = AugmentationTests.changed([200, 30, 61, 10], channels: 1) {
            ColorJitter(
                order: [.hue, .contrast, .saturation, .brightness], brightness: 1.25, contrast: 0.5,
                saturation: 0, hue: 0.1
            ).apply(to: $0, .bytes)
        }
        // The mean is 75: contrast gives 137, 52, 68, 42.
        #expect(grey == [171, 65, 85, 52])
    }

    /// Expected values are Pillow's: HSV, hue + int(255 · turns), RGB.
    @Test(
        arguments: [
            (0.1, [200, 94, 31, 61, 11, 250, 17, 17, 19, 61, 91, 40]),
            (-0.07, [200, 31, 130, 11, 197, 250, 17, 19, 19, 91, 71, 40]),
            (0.5, [31, 200, 162, 250, 151, 11, 19, 18, 17, 40, 40, 91]),
        ] as [(Float, [Float])])
    func hueOfEightBitLevelsIsPillows(turns: Float, wanted: [Float]) {
        let pixels: [Float] = [200, 30, 60, 10, 100, 250, 17, 18, 19, 90, 91, 40]
        #expect(AugmentationTests.changed(pixels) { $0.shiftHue(by: turns, .bytes) } == wanted)
    }

    @Test func hueTurnsTheCircle() {
        for levels in [Levels.bytes, .unit] {
            let full = levels.maximum
            let red = PlanarImage([full, 0, 0], height: 1, width: 1, channels: 3, levels)
            red.planes.shiftHue(by: 1.0 / 3, levels)
            let turned = red.values
            #expect(abs(turned[0]) <= 0.01 * full && turned[1] == full && turned[2] == 0)
            let grey = PlanarImage(
                [Float](repeating: full / 2, count: 3), height: 1, width: 1, channels: 3, levels)
            grey.planes.shiftHue(by: 0.1, levels)
            #expect(Set(grey.values).count == 1)
        }
    }
}
