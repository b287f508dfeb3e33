import Support
import TSimCNEKernels
import Testing

@testable import TSimCNE

/// Parts of a loss, worked out by several processes, make the whole.
@Suite struct InfoNCEPartTests {
    @Test(
        arguments: [(2, 90, 2), (2, 90, 64), (3, 71, 2), (4, 71, 64)],
        InfoNCETests.kernels)
    func partsMakeTheWhole(
        _ test: (views: Int, images: Int, dimension: Int),
        of kernel: (metric: Metric, degrees: Float, reference: ContrastReference.Kernel)
    ) {
        let (views, images, dimension) = test
        let z = values(views * images * dimension, seed: 4)
        let pool = ThreadPool(threads: 2)
        let similarity = Similarity(kernel.metric, temperature: 0.8, degrees: kernel.degrees)
        var whole = [Float](repeating: 0, count: z.count)
        let loss = InfoNCE.evaluate(
            z, images: images, views: views, dimension: dimension, similarity, gradient: &whole, pool: pool)

        let bounds = [0, 1, images / 3, images]
        let ranges = zip(bounds, bounds.dropFirst()).map { $0..<$1 }
        let parts = ranges.map {
            InfoNCEPart(
                z, images: images, views: views, dimension: dimension, similarity, part: $0, pool: pool)
        }
        var scales = [Float](repeating: .nan, count: views * images)
        var total = 0.0
        for (range, part) in zip(ranges, parts) {
            var own = [Float](repeating: 0, count: views * range.count)
            total += part.sums(into: &own)
            for view in 0..<views {
                for i in range {
                    scales[view * images + i] = own[view * range.count + i - range.lowerBound]
                }
            }
        }
        #expect(abs(total - loss) < 1e-9 * abs(loss) + 1e-12)

        var (joined, derivative) = (whole, 0.0)
        for (range, part) in zip(ranges, parts) {
            var own = [Float](repeating: .nan, count: views * range.count * dimension)
            derivative += part.gradient(scales: scales, into: &own)
            for view in 0..<views {
                let first = (view * images + range.lowerBound) * dimension
                let count = range.count * dimension
                for i in 0..<count { joined[first + i] = own[view * count + i] }
            }
        }
        #expect(relativeError(joined, doubles(whole), floor: 1e-4) < 1e-5)

        // The derivative is by the temperature's logarithm.
        let step = 1e-2
        let logarithm = Double(kernel.metric.logarithm(ofTemperature: 0.8))
        let around = [logarithm + step, logarithm - step].map { moved in
            let temperature = kernel.metric.temperature(ofLogarithm: Float(moved))
            return InfoNCE.evaluate(
                z, images: images, views: views, dimension: dimension,
                Similarity(kernel.metric, temperature: temperature, degrees: kernel.degrees), gradient: nil,
                pool: pool)
        }
        let wanted = (around[0] - around[1]) / (2 * step)
        #expect(abs(derivative - wanted) < 2e-3 * max(abs(wanted), 0.1))
    }
}
