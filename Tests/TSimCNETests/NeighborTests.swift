import Support
import Testing

@testable import TSimCNE

@Suite struct NeighborTests {
    static func stage(_ neighbors: Int) -> Stage {
        var stage = TrainingFixture.stage(6)
        stage.neighbors = neighbors
        return stage
    }

    /// The nearest neighbours by cosine, from the model's own features.
    static func naive(_ model: Model, _ images: ImageBatch, _ k: Int) -> [[Int]] {
        var features = [Float](repeating: 0, count: images.count * model.features)
        features.withUnsafeMutableBufferPointer {
            model.transform(images, .features, into: $0.baseAddress!, pool: ThreadPool(threads: 1))
        }
        let rows = (0..<images.count).map { i in
            doubles(Array(features[i * model.features..<(i + 1) * model.features]))
        }
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        func cosine(_ i: Int, _ j: Int) -> Double {
            dot(rows[i], rows[j]) / (dot(rows[i], rows[i]) * dot(rows[j], rows[j])).squareRoot()
        }
        return (0..<images.count).map { i in
            let others = (0..<images.count).filter { $0 != i }
            return Array(others.sorted { cosine(i, $0) > cosine(i, $1) }.prefix(k))
        }
    }

    static func table(_ trainer: Trainer) -> [[Int]] {
        let neighbors = trainer.neighbors!
        return (0..<neighbors.images).map { i in
            (0..<neighbors.count).map { Int(neighbors.table[i * neighbors.count + $0]) }
        }
    }

    @Test(arguments: [(1, UInt64.max), (2, .max), (3, 1)])
    func areTheNearestInTheFeatures(threads: Int, slice: UInt64) {
        let model = TrainingFixture.model()
        let wanted = NeighborTests.naive(model, TrainingFixture.batch, 4)
        let trainer = TrainingFixture(NeighborTests.stage(4)).trainer(model, threads: threads)
        var stops = 0
        while trainer.advance(until: slice == .max ? .max : ThreadPool.now() + slice) != .neighborsFound {
            stops += 1
        }
        #expect(NeighborTests.table(trainer) == wanted)
        #expect((stops > 3) == (slice == 1))
    }

    @Test func allViewsButTheFirstAreOfNeighbors() {
        var stage = NeighborTests.stage(3)
        stage.views.augmentation = Augmentation.none
        var fixture = TrainingFixture(stage)
        fixture.views = 4
        let trainer = fixture.trainer(TrainingFixture.model())
        var picked: Set<Int> = []
        while trainer.progress.step < 5 {
            guard trainer.advance() == .boundary(.embeddings) else { continue }
            let (count, table) = (trainer.batchCount, NeighborTests.table(trainer))
            #expect(trainer.batchIndexCount == 4 * count)
            for place in count..<4 * count {
                let image = Int(trainer.batchIndices[place % count])
                let partner = Int(trainer.batchIndices[place])
                #expect(table[image].contains(partner))
                picked.insert(table[image].firstIndex(of: partner)!)
            }
            // Without augmentation all views of one image are the same.
            let rows = trainer.embeddings!.values
            let width = rows.count / (4 * count)
            func row(_ place: Int) -> [Float] { Array(rows[place * width..<(place + 1) * width]) }
            for a in 0..<4 * count {
                for b in 0..<a {
                    let error = relativeError(row(a), doubles(row(b)))
                    let isSame = trainer.batchIndices[a] == trainer.batchIndices[b]
                    #expect(isSame ? error < 1e-4 : error > 1e-4, "\(a) and \(b)")
                }
            }
        }
        #expect(picked == [0, 1, 2])
    }

    @Test func suppliedImagesGiveTheSameBits() {
        let images = TrainingFixture.batch
        func train(_ source: ImageSource) -> [String: [Float]] {
            var fixture = TrainingFixture(TrainingFixture.stage(2), NeighborTests.stage(5))
            fixture.source = source
            let trainer = fixture.trainer(TrainingFixture.model())
            var event = trainer.advance()
            while event != .finished {
                if event == .batchWanted {
                    let pixels = images.data.assumingMemoryBound(to: Float.self)
                    let batch = (0..<trainer.batchIndexCount).flatMap { i in
                        let start = pixels + Int(trainer.batchIndices[i]) * images.imageCount
                        return Array(UnsafeBufferPointer(start: start, count: images.imageCount))
                    }
                    batch.withUnsafeBytes { trainer.supply($0.baseAddress!, bytes: $0.count) }
                }
                event = trainer.advance()
            }
            return trainer.saved()
        }
        let supplied = ImageSource.supplied(
            count: images.count, height: images.height, width: images.width, channels: images.channels,
            .float32, .natural)
        #expect(train(supplied) == train(TrainingFixture.images))
    }

    @Test func featuresStandForViews() {
        var stage = NeighborTests.stage(3)
        stage.readsFeatures = true
        stage.trained = .head
        let model = TrainingFixture.model()
        let trainer = TrainingFixture(stage).trainer(model)
        let images = TrainingFixture.batch
        let before = model.arrays.map(\.values)
        var compared = 0
        while trainer.progress.step < 4 {
            guard trainer.advance() == .boundary(.embeddings) else { continue }
            var map = [Float](repeating: 0, count: images.count * model.outputs)
            map.withUnsafeMutableBufferPointer {
                model.transform(images, .map, into: $0.baseAddress!, pool: ThreadPool(threads: 1))
            }
            let rows = trainer.embeddings!.values
            for i in 0..<trainer.batchIndexCount {
                let image = Int(trainer.batchIndices[i])
                let wanted = Array(map[image * model.outputs..<(image + 1) * model.outputs])
                let got = Array(rows[i * model.outputs..<(i + 1) * model.outputs])
                #expect(relativeError(got, doubles(wanted)) < 1e-5)
                compared += 1
            }
        }
        // Two views each of 8, 8, 2 and 8 images.
        #expect(compared == 52)
        for (array, old) in zip(model.arrays, before) {
            #expect((array.values != old) == array.name.hasPrefix("projection_head"), "\(array.name)")
        }
    }

    @Test func aTableThatACallerHasSpoiltIsNotFollowed() {
        let trainer = TrainingFixture(NeighborTests.stage(2)).trainer(TrainingFixture.model())
        trainer.take(1)
        let neighbors = trainer.neighbors!
        for i in 0..<neighbors.images * neighbors.count {
            neighbors.table[i] = [.max, -1, 18][i % 3]
        }
        trainer.take(3)
        for i in 0..<trainer.batchCount {
            #expect(trainer.batchIndices[i] == trainer.batchIndices[trainer.batchCount + i])
        }
    }
}
