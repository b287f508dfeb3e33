import Support
import Testing

@testable import TSimCNE

/// Images of one pixel, for a model without a backbone.
@Suite struct FeatureVectorTests {
    @Test(arguments: [[], [7], [7, 4]] as [[Int]], [TrainedPart.all, .head])
    func gradientIsThatOfTheLossOfTheHead(hidden: [Int], trained: TrainedPart) {
        let (images, views, channels) = (6, 3, 5)
        var configuration = Model.Configuration(channels: channels)
        configuration.depth = 0
        configuration.hidden = hidden
        configuration.outputs = 2
        let mean = values(channels, seed: 1)
        configuration.normalization = (mean, mean.map { 1 + $0 * $0 })
        let model = Model(configuration, seed: 3)
        #expect(model.features == channels && model.normalizations.isEmpty)

        var fixture = TrainingFixture(TrainingFixture.stage(1, 2, .keep, trained))
        fixture.source = .views(count: images, height: 1, width: 1, channels: channels)
        (fixture.batchSize, fixture.views) = (images, views)
        let trainer = fixture.trainer(model)
        let x = values(views * images * channels, seed: 9)
        let parameters = model.parameters.map { doubles($0.value.values) }
        while trainer.advance() != .step {
            if trainer.wantsBatch { trainer.supply(x, bytes: 4 * x.count) }
        }

        let scaled = x.enumerated().map { index, value in
            let c = index % channels
            return (Double(value) - Double(mean[c])) / (1 + Double(mean[c]) * Double(mean[c]))
        }
        let contrast = ContrastReference(views: views, dimension: 2, kernel: .cauchy, temperature: 1)
        func loss(_ p: [[Double]]) -> Double {
            contrast.loss(LayerReferences.projectionHead(scaled, p))
        }
        #expect(abs(trainer.loss / loss(parameters) - 1) < 1e-5)
        for (i, parameter) in model.parameters.enumerated() {
            let wanted = parameters[i].indices.map { index in
                centralDifference(parameters[i], index) { moved in
                    var parameters = parameters
                    parameters[i] = moved
                    return loss(parameters)
                }
            }
            let error = relativeError(parameter.gradient.values, wanted, floor: 0.1)
            #expect(error < 1e-4, "\(parameter.name)")
        }
    }

    @Test func trainingLowersTheLossOnAnyNumberOfThreads() {
        let results = [1, 2, 3].map { threads in
            var fixture = TrainingFixture(
                TrainingFixture.stage(100, 8), TrainingFixture.stage(20, 2, .principal(radius: 3)))
            fixture.source = TrainingFixture.vectors(values(18 * 20, seed: 6), channels: 20)
            fixture.noise = FeatureNoise(deviation: 0.1, dropout: 0.05)
            let model = TrainingFixture.model(depth: 0, channels: 20)
            let trainer = fixture.trainer(model, threads: threads)
            trainer.take(3)
            let first = trainer.loss
            trainer.take(97)
            #expect(trainer.loss < 0.9 * first)
            trainer.takeAll()
            return model.arrays.map(\.values)
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }

    @Test func transformIsTheHeadOfNormalizedVectors() {
        let model = TrainingFixture.model(depth: 0, channels: 20, outputs: 3)
        let vectors = TrainingFixture.vectorBatch(values(300 * 20, seed: 6), channels: 20)
        var map = [Float](repeating: 0, count: 900)
        model.transform(vectors, .map, into: &map, pool: ThreadPool(threads: 2))
        let p = model.parameters.map { doubles($0.value.values) }
        let wanted = LayerReferences.projectionHead(doubles(values(300 * 20, seed: 6)), p)
        #expect(relativeError(map, wanted) < 1e-5)
    }
}

@Suite struct FeatureNoiseTests {
    static let (images, channels) = (200, 64)
    static let clean = values(images * channels, seed: 2).map { $0 + 3 }

    /// What the views of all images became in two epochs: [epoch][view][image × channel].
    static func views(_ noise: FeatureNoise, threads: Int) -> [[[Float]]] {
        var configuration = Model.Configuration(channels: channels)
        configuration.depth = 0
        configuration.hidden = []
        configuration.outputs = channels
        let model = Model(configuration, seed: 1)
        // The embeddings are the views themselves.
        for i in 0..<channels * channels {
            model.parameters[0].value.pointer[i] = i % (channels + 1) == 0 ? 1 : 0
        }
        model.parameters[1].fill(0)
        var fixture = TrainingFixture(TrainingFixture.stage(2, channels, rate: 0))
        fixture.source = TrainingFixture.vectors(clean, channels: channels)
        fixture.batchSize = images
        fixture.noise = noise
        let trainer = fixture.trainer(model, threads: threads)
        return (0..<2).map { _ in
            while trainer.advance() != .boundary(.embeddings) {}
            let rows = trainer.embeddings!.values
            var views = [[Float]](repeating: clean, count: 2)
            for (row, v) in (0..<2 * images).map({ ($0 % images, $0 / images) }) {
                let image = Int(trainer.batchIndices[row])
                for c in 0..<channels {
                    views[v][image * channels + c] = rows[(v * images + row) * channels + c]
                }
            }
            trainer.take(1)
            return views
        }
    }

    @Test(arguments: [(0.5, 0.2), (0.1, 0.0), (0.0, 0.3), (0.0, 1.0)])
    func hasTheStatedDeviationAndShare(deviation: Double, dropout: Double) {
        let noise = FeatureNoise(deviation: deviation, dropout: dropout)
        let count = Double(FeatureNoiseTests.clean.count)
        for view in FeatureNoiseTests.views(noise, threads: 2).flatMap({ $0 }) {
            let dropped = Double(view.count { $0 == 0 }) / count
            // The tolerance is five standard errors.
            #expect(abs(dropped - dropout) <= 5 * (dropout * (1 - dropout) / count).squareRoot())
            let moves = zip(view, FeatureNoiseTests.clean).filter { $0.0 != 0 }.map { Double($0 - $1) }
            #expect(moves.isEmpty == (dropout == 1))
            guard !moves.isEmpty else { continue }
            let mean = moves.reduce(0, +) / Double(moves.count)
            let variance = moves.reduce(0) { $0 + $1 * $1 } / Double(moves.count)
            #expect(abs(mean) <= 5 * deviation / Double(moves.count).squareRoot())
            #expect(abs(variance.squareRoot() - deviation) <= 0.04 * deviation)
        }
    }

    @Test func differsBetweenViewsImagesAndEpochsButNotBetweenThreads() {
        let noise = FeatureNoise(deviation: 0.5, dropout: 0.2)
        let found = FeatureNoiseTests.views(noise, threads: 2)
        #expect(found == FeatureNoiseTests.views(noise, threads: 1))
        let all = found.flatMap { $0 }
        for i in all.indices {
            for j in all.indices where j < i {
                let same = zip(all[i], all[j]).count { $0 == $1 && $0 != 0 }
                #expect(same < 5)
            }
        }
        let moves = zip(all[0], FeatureNoiseTests.clean).map { $0 - $1 }
        #expect(moves[..<64] != moves[64..<128])
        #expect(
            FeatureNoiseTests.views(FeatureNoise(), threads: 2).allSatisfy { epoch in
                epoch.allSatisfy { $0 == FeatureNoiseTests.clean }
            })
    }
}
