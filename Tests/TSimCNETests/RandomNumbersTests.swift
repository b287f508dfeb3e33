import Testing

@testable import TSimCNE

@Suite struct RandomNumbersTests {
    @Test func philoxGivesTheKnownAnswers() {
        let zero = RandomNumbers.philox((0, 0, 0, 0), key: (0, 0))
        #expect(zero == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        let m = UInt32.max
        let ones = RandomNumbers.philox((m, m, m, m), key: (m, m))
        #expect(ones == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        let pi = RandomNumbers.philox(
            (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: (0xa409_3822, 0x299f_31d0))
        #expect(pi == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test func numbersAreUniformAndIntegersUnbiased() {
        var random = RandomNumbers(seed: 7, purpose: .view)
        var bins = [Int](repeating: 0, count: 10)
        for _ in 0..<20000 { bins[Int(random.uniform() * 10)] += 1 }
        // Chi-square with 9 degrees of freedom: 27.9 at one in a thousand.
        #expect(bins.reduce(0.0) { $0 + Double(($1 - 2000) * ($1 - 2000)) / 2000 } < 27.9)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<14000 { counts[random.integer(below: 7)] += 1 }
        #expect(counts.reduce(0.0) { $0 + Double(($1 - 2000) * ($1 - 2000)) / 2000 } < 22.5)
    }

    @Test func streamsOfDifferentNamesDiffer() {
        var seen = Set<UInt32>()
        for (seed, epoch, index, view) in [
            (1, 0, 0, 0), (2, 0, 0, 0), (1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 1), (1, 0, 1 << 33, 0),
        ] as [(UInt64, UInt64, UInt64, UInt32)] {
            var random = RandomNumbers(
                seed: seed, purpose: .view, epoch: epoch, index: index, view: view)
            seen.insert(random.next())
        }
        #expect(seen.count == 6)
    }

    @Test func shuffleIsAPermutation() {
        var order = (0..<1000).map(Int64.init)
        var random = RandomNumbers(seed: 3, purpose: .order, epoch: 2)
        random.shuffle(&order, in: 0..<order.count)
        #expect(order.sorted() == (0..<1000).map(Int64.init) && order[0..<5] != [0, 1, 2, 3, 4])
    }
}
