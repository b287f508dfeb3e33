import Glibc
import TSimCNE
import Testing

@Suite struct LearningRateTests {
    @Test(arguments: [(1000, 10), (50, 0), (5, 10), (10, 10), (11, 10), (3, 1)])
    func epochTableIsTheReferences(epochs: Int, warmup: Int) {
        let table = Schedule(.epoch(warmup: warmup)).epochTable(peak: 0.12, epochs: epochs, warmup: warmup)
        #expect(table.count == epochs)
        let length = max(0, 1 + epochs - warmup)
        for e in 0..<epochs {
            let wanted: Double
            if e < warmup {
                wanted = warmup == 1 ? 0 : 0.12 * Double(e) / Double(warmup - 1)
            } else {
                wanted = 0.06 * (1 + cos(Double.pi * Double(e - warmup) / Double(length)))
            }
            #expect(abs(table[e] - wanted) < 1e-15)
        }
    }

    @Test func batchScheduleRisesThenFallsToAlmostNothing() {
        let schedule = Schedule(.batch(warmup: 0.1))
        let rates = (0..<100).map {
            schedule.rate(peak: 1, progress: Double($0), steps: 100, stepsPerEpoch: 10)
        }
        #expect(rates[0] == 0.1)
        #expect(rates[9] == 1 && rates[10] == 1)
        #expect(zip(rates[10...], rates[11...]).allSatisfy { $0 > $1 })
        #expect(rates[99] < 1e-3 && rates[99] > 0)
    }
}
