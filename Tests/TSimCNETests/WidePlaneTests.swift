import Support
import Testing

@testable import TSimCNE

/// Means over parts of the plane that a backbone's last layer with a stride reads.
@Suite struct WidePlaneTests {
    /// Means over 3×3 parts as naive loops have them, in double precision.
    static func means(_ plane: [Double], _ shape: Shape) -> [Double] {
        var result: [Double] = []
        for image in 0..<shape.images {
            for part in 0..<9 {
                let (i, j) = (part / 3, part % 3)
                for c in 0..<shape.channels {
                    var (sum, count) = (0.0, 0.0)
                    for y in 0..<shape.height
                    where 3 * (y + 1) > i * shape.height && 3 * y < (i + 1) * shape.height {
                        for x in 0..<shape.width
                        where 3 * (x + 1) > j * shape.width && 3 * x < (j + 1) * shape.width {
                            sum += plane[((image * shape.height + y) * shape.width + x) * shape.channels + c]
                            count += 1
                        }
                    }
                    result.append(sum / count)
                }
            }
        }
        return result
    }

    @Test(arguments: [(1, 1), (2, 3), (4, 4), (5, 7), (8, 9)])
    func partsAreMeans(height: Int, width: Int) {
        let shape = Shape(3, height, width, 5)
        let workspace = Workspace()
        let pass = Pass(
            program: Program(), workspace: workspace, usesBatchStatistics: false, keepsInputs: false)
        let input = workspace.tensor(shape)
        let numbers = values(shape.count, seed: 4)
        input.copy(from: numbers)
        let output = workspace.tensor(Shape(rows: 3, columns: PartPooling.count * 5))
        PartPooling.append(input, into: output, pass.program)
        pass.program.run(on: ThreadPool(threads: 2))
        #expect(relativeError(output.values, Self.means(doubles(numbers), shape)) < 1e-6)
    }

    private static func parts(_ layers: [NamedLayer], _ images: ImageBatch) -> [Float] {
        var configuration = Model.Configuration(channels: 2)
        configuration.layers = layers
        let model = Model(configuration, seed: 5)
        let pool = ThreadPool(threads: 2)
        let (columns, features) = (model.columns(of: .levels), model.features)
        var levels = [Float](repeating: 0, count: images.count * columns)
        model.transform(images, .levels, into: &levels, pool: pool)
        var last = [Float](repeating: 0, count: images.count * features)
        model.transform(images, .features, into: &last, pool: pool)
        let rows = (0..<images.count).map { levels[$0 * columns..<($0 + 1) * columns] }
        #expect(rows.flatMap { $0.suffix(features) } == last)
        return rows.flatMap { $0.dropLast(features) }
    }

    static let first: [NamedLayer] = [
        NamedLayer("a", .convolution(channels: 6, kernel: 3, stride: 2)),
        NamedLayer("b", .nonlinearity(.relu)),
        NamedLayer("c", .convolution(channels: 7, kernel: 3)),
    ]

    /// Layers from the last one with a stride on change nothing, whatever they are.
    @Test func theLastLayerWithAStrideReadsThePlane() {
        let pixels = values(4 * 12 * 12 * 2, seed: 3)
        pixels.withUnsafeBufferPointer { pixels in
            let images = ImageBatch(
                data: pixels.baseAddress!, count: 4, height: 12, width: 12, channels: 2, element: .float32)
            let wanted = Self.parts(Self.first, images)
            #expect(wanted.count == 4 * 9 * 7)
            let later: [[NamedLayer]] = [
                [
                    NamedLayer("d", .maxPooling(kernel: 2, stride: 2)),
                    NamedLayer("e", .convolution(channels: 3, kernel: 1)),
                ],
                [NamedLayer("d", .depthwise(kernel: 3, stride: 2))],
                [
                    NamedLayer(
                        "d",
                        .residual(
                            [NamedLayer("e", .convolution(channels: 9, kernel: 3, stride: 2))],
                            shortcut: [NamedLayer("f", .convolution(channels: 9, kernel: 1, stride: 2))]))
                ],
            ]
            for rest in later { #expect(Self.parts(Self.first + rest, images) == wanted) }
        }
    }

    @Test(arguments: [10, 18, 50])
    func aResNetHasThatOfItsThirdLevel(depth: Int) {
        let model = TrainingFixture.model(depth: depth, channels: 3)
        let expansion = depth == 50 ? 4 : 1
        #expect(model.columns(of: .levels) == 9 * model.features / 2 + model.features)
        #expect(model.features == model.configuration.baseWidth * 8 * expansion)
    }
}
