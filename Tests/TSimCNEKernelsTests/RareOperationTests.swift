import CLibrary
import Support
import TSimCNEKernels
import Testing

/// Rotation, blur, solarisation, gains and erasing against loops in double precision.
@Suite struct RareOperationTests {
    static let sizes = [(height: 8, width: 8), (9, 13), (33, 40), (16, 64)]

    static func image(_ height: Int, _ width: Int, _ channels: Int, _ levels: Levels) -> [Float] {
        values(height * width * channels, seed: UInt64(height + width)).map {
            let unit = min(1, max(0, 0.5 + 0.5 * $0))
            return levels == .bytes ? (unit * 255).rounded() : unit
        }
    }

    /// The wanted values are in double precision: the operation's may lie on the other side of a half.
    static func expect(_ ours: [Float], near wanted: [Double], _ levels: Levels) {
        let maximum = Double(levels.maximum)
        let worst = zip(ours, wanted).map { ours, wanted in
            let clipped = min(maximum, max(0, wanted))
            return abs(Double(ours) - clipped) - (levels == .bytes ? 0.5 : 0)
        }.max()!
        #expect(worst < 2e-5 * maximum)
    }

    static func reflected(_ position: Int, _ count: Int) -> Int {
        var position = position
        while position < 0 || position >= count {
            position = position < 0 ? -position : 2 * (count - 1) - position
        }
        return position
    }

    @Test(arguments: sizes, [Levels.bytes, .unit])
    func rotationIsBilinearAndMirrored(size: (height: Int, width: Int), levels: Levels) {
        let (height, width) = size
        for degrees in [0.0, 17, -90, 133.3, 180] {
            let pixels = RareOperationTests.image(height, width, 3, levels)
            let image = PlanarImage(pixels, height: height, width: width, channels: 3, levels)
            var scratch = [Float](repeating: 0, count: height * width)
            let (cosine, sine) = (cos(degrees * .pi / 180), sin(degrees * .pi / 180))
            image.planes.rotate(cosine: Float(cosine), sine: Float(sine), levels, scratch: &scratch)
            var wanted: [Double] = []
            let (middleY, middleX) = (Double(height - 1) / 2, Double(width - 1) / 2)
            for y in 0..<height {
                for x in 0..<width {
                    let (dx, dy) = (Double(x) - middleX, Double(y) - middleY)
                    // The place is in single precision, as on which side of a pixel it lies decides nothing
                    // else.
                    let fromX = Double(Float(cosine)) * dx - Double(Float(sine)) * dy + middleX
                    let fromY = Double(Float(sine)) * dx + Double(Float(cosine)) * dy + middleY
                    let (left, top) = (floor(fromX), floor(fromY))
                    for c in 0..<3 {
                        var sum = 0.0
                        for (j, v) in [(0, 1 - (fromY - top)), (1, fromY - top)] {
                            for (i, u) in [(0, 1 - (fromX - left)), (1, fromX - left)] {
                                let row = RareOperationTests.reflected(Int(top) + j, height)
                                let column = RareOperationTests.reflected(Int(left) + i, width)
                                sum += u * v * Double(pixels[(row * width + column) * 3 + c])
                            }
                        }
                        wanted.append(sum)
                    }
                }
            }
            RareOperationTests.expect(image.values, near: wanted, levels)
            if degrees == 0 { #expect(image.values == pixels) }
        }
    }

    @Test(arguments: sizes, [Levels.bytes, .unit])
    func blurIsAConvolutionOfRowsAndColumns(size: (height: Int, width: Int), levels: Levels) {
        let (height, width) = size
        let kernels: [[Float]] = [[0.6, 0.2], [0.3, 0.2, 0.1, 0.05], [Float](repeating: 1 / 65, count: 33)]
        for weights in kernels {
            let pixels = RareOperationTests.image(height, width, 2, levels)
            let image = PlanarImage(pixels, height: height, width: width, channels: 2, levels)
            var scratch = [Float](
                repeating: 0, count: Planes.blurScratchCount(height: height, width: width))
            image.planes.blur(weights: weights, levels, scratch: &scratch)
            func weight(_ k: Int) -> Double { Double(weights[abs(k)]) }
            let radius = weights.count - 1
            var wanted: [Double] = []
            for y in 0..<height {
                for x in 0..<width {
                    for c in 0..<2 {
                        var sum = 0.0
                        for j in -radius...radius {
                            let row = RareOperationTests.reflected(y + j, height)
                            for i in -radius...radius {
                                let column = RareOperationTests.reflected(x + i, width)
                                sum += weight(j) * weight(i) * Double(pixels[(row * width + column) * 2 + c])
                            }
                        }
                        wanted.append(sum)
                    }
                }
            }
            RareOperationTests.expect(image.values, near: wanted, levels)
        }
    }

    @Test(arguments: [Levels.bytes, .unit]) func gainsSolarisationAndErasing(levels: Levels) {
        let (height, width) = (9, 13)
        let pixels = RareOperationTests.image(height, width, 2, levels)
        let maximum = Double(levels.maximum)
        let scaled = PlanarImage(pixels, height: height, width: width, channels: 2, levels)
        scaled.planes.scale([1.5, 0.25], offsets: [-0.1, 0.3], levels)
        let wanted = pixels.enumerated().map { index, value in
            Double(value) * [1.5, 0.25][index % 2] + [-0.1, 0.3][index % 2] * maximum
        }
        RareOperationTests.expect(scaled.values, near: wanted, levels)

        let negative = PlanarImage(pixels, height: height, width: width, channels: 2, levels)
        negative.planes.solarize(levels)
        let threshold: Float = levels == .bytes ? 128 : 0.5
        let inverted = pixels.map { Double($0 < threshold ? $0 : levels.maximum - $0) }
        RareOperationTests.expect(negative.values, near: inverted, levels)

        let erased = PlanarImage(pixels, height: height, width: width, channels: 2, levels)
        erased.planes.erase(top: 2, left: 3, height: 4, width: 10)
        for (index, value) in erased.values.enumerated() {
            let (y, x) = (index / 2 / width, index / 2 % width)
            #expect(value == (2..<6 ~= y && x >= 3 ? 0 : pixels[index]))
        }
    }
}
