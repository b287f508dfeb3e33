import CLibrary
import TSimCNE
import Testing

@Suite struct LearningRateTests {
    static let shapes: [Schedule.Shape] = [.cosine, .constant, .linear, .oneCycle]

    /// Rates at some places of a stage of 100 steps in ten epochs, with a peak of 1.
    static func rates(_ schedule: Schedule, at places: [Double] = (0..<100).map(Double.init)) -> [Double] {
        places.map { schedule.rate(peak: 1, progress: $0, steps: 100, stepsPerEpoch: 10) }
    }

    @Test(arguments: [(1000, 10), (50, 0), (5, 10), (10, 10), (11, 10), (3, 1)])
    func epochsAreTheReferences(epochs: Int, warmup: Int) {
        let schedule = Schedule(.epoch(warmup: warmup))
        let length = max(0, 1 + epochs - warmup)
        for e in 0..<epochs {
            let wanted: Double
            if e < warmup {
                wanted = warmup == 1 ? 0 : 0.12 * Double(e) / Double(warmup - 1)
            } else {
                wanted = 0.06 * (1 + cos(Double.pi * Double(e - warmup) / Double(length)))
            }
            for step in 0..<3 {
                let rate = schedule.rate(
                    peak: 0.12, progress: Double(3 * e + step), steps: 3 * epochs, stepsPerEpoch: 3)
                #expect(abs(rate - wanted) < 1e-15)
            }
        }
    }

    @Test func anEpochThatIsCutShortCounts() {
        let schedule = Schedule(.epoch(warmup: 0), shape: .linear)
        let rates = (0..<7).map {
            schedule.rate(peak: 1, progress: Double($0), steps: 7, stepsPerEpoch: 3)
        }
        #expect(rates == [1, 1, 1, 0.75, 0.75, 0.75, 0.5])
    }

    @Test func longStagesOfEpochsTakeNoMemory() {
        let schedule = Schedule(.epoch(warmup: 10))
        let half = schedule.rate(peak: 1, progress: 0x1p39, steps: 1 << 40, stepsPerEpoch: 1)
        #expect(abs(half - 0.5) < 1e-9)
    }

    @Test(arguments: shapes)
    func batchesRiseToThePeakThenFall(shape: Schedule.Shape) {
        let rates = LearningRateTests.rates(Schedule(.batch(warmup: 0.1), shape: shape))
        #expect(abs(rates[9] - 1) < 1e-15 && abs(rates[10] - 1) < 1e-15)
        #expect(zip(rates[..<9], rates[1...]).allSatisfy { $0 < $1 })
        switch shape {
        case .cosine:
            #expect(rates[0] == 0.1 && abs(rates[55] - 0.5) < 1e-15)
            #expect(abs(rates[99] - 0.5 * (1 - cos(.pi / 90))) < 1e-15)
        case .constant:
            #expect(rates[10...].allSatisfy { $0 == 1 })
        case .linear:
            #expect(rates[0] == 0.1 && abs(rates[55] - 0.5) < 1e-15 && abs(rates[99] - 1.0 / 90) < 1e-15)
        case .oneCycle:
            // Half-way up it is half-way between a 25th and 1; half-way down, between 1 and 4e-6.
            #expect(abs(rates[4] - 0.52) < 1e-15 && abs(rates[55] - 0.500002) < 1e-15)
            #expect(abs(rates[0] - (0.04 + 0.96 * 0.5 * (1 - cos(.pi / 10)))) < 1e-15)
            #expect(rates[99] > 4e-6 && rates[99] < 4e-4)
        }
        if shape != .constant { #expect(zip(rates[10...], rates[11...]).allSatisfy { $0 > $1 }) }
    }

    @Test(arguments: shapes)
    func epochsRiseToThePeakThenFall(shape: Schedule.Shape) {
        let steps = LearningRateTests.rates(Schedule(.epoch(warmup: 3), shape: shape))
        let rates = (0..<10).map { steps[10 * $0] }
        #expect((0..<100).allSatisfy { steps[$0] == rates[$0 / 10] })
        let start = shape == .oneCycle ? 0.04 : 0
        #expect(abs(rates[0] - start) < 1e-15 && abs(rates[1] - (start + 1) / 2) < 1e-15)
        #expect(abs(rates[2] - 1) < 1e-15 && abs(rates[3] - 1) < 1e-15)
        let middle: [Schedule.Shape: Double] = [
            .cosine: 0.5, .constant: 1, .linear: 0.5, .oneCycle: 0.500002,
        ]
        #expect(abs(rates[7] - middle[shape]!) < 1e-15)
    }

    @Test(arguments: shapes)
    func warmupMayBeNothingOrAll(shape: Schedule.Shape) {
        #expect(abs(LearningRateTests.rates(Schedule(.batch(warmup: 0), shape: shape))[0] - 1) < 1e-15)
        let all = LearningRateTests.rates(Schedule(.batch(warmup: 1), shape: shape))
        #expect(zip(all, all[1...]).allSatisfy { $0 < $1 } && abs(all[99] - 1) < 1e-15)
    }

    /// Places lie between whole steps, which a stretched stage comes by, and a little beyond the end.
    @Test(arguments: shapes, [0, 0.01, 0.3, 1])
    func stretchedSchedulesRiseOnceAndStayBelowThePeak(shape: Schedule.Shape, warmup: Double) {
        for stride in [0.25, 1.7] {
            let places = Array(Swift.stride(from: 0, through: 100.0001, by: stride))
            let rates = LearningRateTests.rates(Schedule(.batch(warmup: warmup), shape: shape), at: places)
            #expect(rates.allSatisfy { $0 >= 0 && $0 <= 1 + 1e-15 })
            let highest = rates.firstIndex { $0 > 1 - 1e-12 } ?? rates.firstIndex(of: rates.max()!)!
            #expect(zip(rates[..<highest], rates[1...]).allSatisfy { $0 < $1 })
            #expect(zip(rates[highest...], rates[(highest + 1)...]).allSatisfy { $0 >= $1 - 1e-12 })
        }
    }
}
