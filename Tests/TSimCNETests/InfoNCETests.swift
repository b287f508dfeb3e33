import CLibrary
import Support
import TSimCNEKernels
import Testing

@testable import TSimCNE

@Suite struct InfoNCETests {
    @Test(arguments: [Metric.cauchy, .cosine], [1, 2, 3, 8, 9, 64])
    func lossAndGradientEqualTheFormula(metric: Metric, dimension: Int) {
        for (pairs, temperature, scale) in [(7, Float(1), Float(1)), (20, 0.5, 3), (33, 2, 0.1)] {
            let z = values(2 * pairs * dimension, seed: UInt64(pairs)).map { $0 * scale }
            var gradient = [Float](repeating: 0, count: z.count)
            let pool = ThreadPool(threads: 2)
            let loss = InfoNCE.evaluate(
                z, images: pairs, dimension: dimension, Similarity(metric, temperature: temperature),
                gradient: &gradient, pool: pool)
            func reference(_ z: [Double]) -> Double {
                InfoNCEReference.loss(
                    z, dimension: dimension, cauchy: metric == .cauchy, temperature: Double(temperature))
            }
            let exact = doubles(z)
            #expect(abs(loss - reference(exact)) < 1e-5 * abs(reference(exact)))
            let sampled = stride(from: 0, to: z.count, by: max(1, z.count / 40))
            let wanted = sampled.map { centralDifference(exact, $0, reference) }
            // In one dimension the cosine is ±1 and its gradient 0.
            #expect(relativeError(sampled.map { gradient[$0] }, wanted, floor: 1e-3) < 1e-3)
        }
    }

    static let kernels: [(metric: Metric, degrees: Float, reference: ContrastReference.Kernel)] = [
        (.cauchy, 0, .cauchy), (.cosine, 0, .cosine), (.gaussian, 0, .gaussian),
        (.studentT, 1, .cauchy), (.studentT, 0.5, .studentT(0.5)), (.studentT, 30, .studentT(30)),
    ]

    /// Losses are of several views, in few dimensions and in many, in one block of columns and in two.
    @Test(
        arguments: [(3, 7, 2), (4, 9, 2), (3, 7, 64), (4, 9, 64), (16, 2, 3), (4, 260, 9)],
        InfoNCETests.kernels)
    func severalViewsEqualTheFormula(
        _ test: (views: Int, images: Int, dimension: Int),
        of kernel: (metric: Metric, degrees: Float, reference: ContrastReference.Kernel)
    ) {
        for (temperature, scale) in [(Float(1), Float(1)), (0.5, 3)] {
            let z = values(test.views * test.images * test.dimension, seed: 3).map { $0 * scale }
            var gradient = [Float](repeating: 0, count: z.count)
            let loss = InfoNCE.evaluate(
                z, images: test.images, views: test.views, dimension: test.dimension,
                Similarity(kernel.metric, temperature: temperature, degrees: kernel.degrees),
                gradient: &gradient, pool: ThreadPool(threads: 2))
            let reference = ContrastReference(
                views: test.views, dimension: test.dimension, kernel: kernel.reference,
                temperature: Double(temperature))
            let exact = doubles(z)
            let wanted = reference.loss(exact)
            #expect(abs(loss - wanted) < 1e-5 * abs(wanted))
            let sampled = stride(from: 1, to: z.count, by: max(1, z.count / (test.images > 100 ? 3 : 30)))
            let slopes = sampled.map { centralDifference(exact, $0, reference.loss) }
            #expect(relativeError(sampled.map { gradient[$0] }, slopes) < 1e-3)
        }
    }

    @Test func theTwoReferencesAreOne() {
        let z = doubles(values(2 * 11 * 3, seed: 8))
        for isCauchy in [true, false] {
            let several = ContrastReference(
                views: 2, dimension: 3, kernel: isCauchy ? .cauchy : .cosine, temperature: 0.7)
            let two = InfoNCEReference.loss(z, dimension: 3, cauchy: isCauchy, temperature: 0.7)
            #expect(abs(several.loss(z) - two) < 1e-12)
        }
    }

    @Test func smallDistancesFarFromTheOriginSurvive() {
        // The published maps have radii of 160; neighbours lie much closer.
        let z = values(400, seed: 5).enumerated().map { 160 + $0.element * 0.01 + Float($0.offset % 2) * 300 }
        let loss = InfoNCE.evaluate(
            z, images: 100, dimension: 2, Similarity(.cauchy, temperature: 1), gradient: nil,
            pool: ThreadPool(threads: 1))
        let wanted = InfoNCEReference.loss(doubles(z), dimension: 2, cauchy: true, temperature: 1)
        #expect(abs(loss - wanted) < 1e-5 * wanted)
    }

    @Test func onePairHasNoLossAndBitsDoNotDependOnThreads() {
        let z = values(2 * 300 * 16, seed: 9)
        let results = [1, 2, 3].map { threads in
            var gradient = [Float](repeating: 0, count: z.count)
            let loss = InfoNCE.evaluate(
                z, images: 300, dimension: 16, Similarity(.cosine, temperature: 0.5), gradient: &gradient,
                pool: ThreadPool(threads: threads))
            return (loss, gradient)
        }
        #expect(results.allSatisfy { $0.0 == results[0].0 && $0.1 == results[0].1 })
        let one = InfoNCE.evaluate(
            [1, 2, 3, 4], images: 1, dimension: 2, Similarity(.cauchy, temperature: 1), gradient: nil,
            pool: ThreadPool(threads: 1))
        #expect(abs(one) < 1e-6)
    }

    /// Similarities that no float holds: all but the nearest are below e^-100.
    @Test(arguments: [2, 40]) func distancesBeyondEverySimilarity(dimension: Int) {
        let z = values(2 * 40 * dimension, seed: 7).map { $0 * 50 }
        var gradient = [Float](repeating: 0, count: z.count)
        let loss = InfoNCE.evaluate(
            z, images: 40, dimension: dimension, Similarity(.gaussian, temperature: 1), gradient: &gradient,
            pool: ThreadPool(threads: 2))
        let reference = ContrastReference(views: 2, dimension: dimension, kernel: .gaussian, temperature: 1)
        let exact = doubles(z)
        #expect(abs(loss - reference.loss(exact)) < 1e-5 * loss)
        let sampled = stride(from: 0, to: z.count, by: 7)
        let slopes = sampled.map { centralDifference(exact, $0, reference.loss) }
        #expect(relativeError(sampled.map { gradient[$0] }, slopes) < 1e-3)
    }

    /// The temperature's own gradient, of its logarithm: that of T² / 2 for distances.
    @Test(arguments: InfoNCETests.kernels, [2, 12])
    func temperatureGradientEqualsTheFormula(
        of kernel: (metric: Metric, degrees: Float, reference: ContrastReference.Kernel), dimension: Int
    ) {
        let z = values(3 * 11 * dimension, seed: 4).map { $0 + 3 }
        let temperature = Parameter("temperature", shape: [1])
        temperature.fill(kernel.metric.logarithm(ofTemperature: 0.7))
        let input = Tensor(Shape(rows: 33, columns: dimension))
        for i in z.indices { input.pointer[i] = z[i] }
        let program = Program()
        let loss = InfoNCE(
            Similarity(kernel.metric, temperature: 1, degrees: kernel.degrees), views: 3,
            temperature: temperature)
        loss.write(
            into: program, workspace: Workspace(), embeddings: input, gradient: Tensor(input.shape))
        BLAS.singleThreaded { program.run(on: ThreadPool(threads: 2)) }
        func reference(_ logarithm: [Double]) -> Double {
            let x = CLibrary.exp(logarithm[0])
            let temperature = kernel.metric.isOfDistance ? (2 * x).squareRoot() : x
            return ContrastReference(
                views: 3, dimension: dimension, kernel: kernel.reference, temperature: temperature
            ).loss(doubles(z))
        }
        let point = [Double(temperature.value.pointer[0])]
        #expect(abs(loss.loss - reference(point)) < 1e-5)
        let slope = centralDifference(point, 0, reference)
        #expect(abs(Double(temperature.gradient.pointer[0]) - slope) < 1e-4 * max(1, abs(slope)))
    }
}
