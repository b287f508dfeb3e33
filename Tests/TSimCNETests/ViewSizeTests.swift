import Support
import Testing

@testable import TSimCNE

@Suite struct ViewSizeTests {
    /// A view of an image of bytes, without random changes.
    static func view(_ bytes: [UInt8], _ shape: (Int, Int, Int), _ size: ViewSize) -> [Float] {
        let (h, w, c) = shape
        var output = [Float](repeating: 0, count: size.height * size.width * c)
        var scratch = [Float](repeating: 0, count: size.scratchCount(channels: c))
        bytes.withUnsafeBytes {
            let images = ImageBatch(
                data: $0.baseAddress!, count: 1, height: h, width: w, channels: c, element: .uint8)
            Augmentation.none.makeView(
                of: images, at: 0, imageIndex: 0, seed: 1, epoch: 0, view: 0, size: size, into: &output,
                scratch: &scratch)
        }
        return output
    }

    @Test(arguments: [1, 3])
    func halfTheSizeIsTheMeanOfFourPixels(channels c: Int) {
        let (h, w) = (16, 20)
        let bytes = values(h * w * c, seed: 3).map { UInt8(($0 + 1) * 127) }
        let size = ViewSize(height: 8, width: 10, ofImage: (h, w))
        let view = ViewSizeTests.view(bytes, (h, w, c), size)
        for y in 0..<8 {
            for x in 0..<10 {
                for k in 0..<c {
                    var sum = 0
                    for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                        let pixel = (2 * y + dy) * w + 2 * x + dx
                        sum += Int(bytes[pixel * c + k])
                    }
                    let pixel = y * 10 + x
                    let difference = 1020 * view[pixel * c + k] - Float(sum)
                    #expect(abs(difference) < 1e-2)
                }
            }
        }
    }

    /// A view of 12 of 16 pixels is rendered at 24 and averaged; it is compared with the integral over the
    /// pixels that a view's pixel covers, which interpolation blurs a little.
    @Test func othersKeepMeansAndSmoothImages() {
        let bytes = (0..<256).map { (i: Int) -> UInt8 in UInt8(8 * (i % 16) + 4 * (i / 16)) }
        let view = ViewSizeTests.view(bytes, (16, 16, 1), ViewSize(height: 12, width: 12, ofImage: (16, 16)))
        for y in 1..<11 {
            for x in 1..<11 {
                let column: Float = (Float(x) + 0.5) * 4 / 3 - 0.5
                let row: Float = (Float(y) + 0.5) * 4 / 3 - 0.5
                let wanted: Float = 8 * column + 4 * row
                let got: Float = view[y * 12 + x] * 255
                #expect(abs(got - wanted) < 1.5)
            }
        }
    }
}
