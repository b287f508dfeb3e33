import Testing

@testable import TSimCNE

/// Orders of an epoch.
@Suite struct ShuffleTests {
    static func order(_ count: Int, block: Int, window: Int, seed: UInt64 = 1) -> [Int64] {
        var order = [Int64](repeating: -1, count: count)
        var random = RandomNumbers(seed: seed, purpose: .order)
        Shuffle(block: block, window: window).fill(&order, &random)
        return order
    }

    @Test(arguments: [(1, 1, 1), (7, 1, 1), (100, 10, 3), (103, 10, 4), (103, 10, 100), (5, 10, 2)])
    func eachImageOnce(count: Int, block: Int, window: Int) {
        let order = ShuffleTests.order(count, block: block, window: window)
        #expect(order.sorted() == (0..<Int64(count)).map { $0 })
        #expect(count < 5 || order != ShuffleTests.order(count, block: block, window: window, seed: 2))
    }

    /// A window has the images of its own blocks, and of no others.
    @Test func windowsHoldWholeBlocks() {
        let order = ShuffleTests.order(120, block: 10, window: 3)
        for first in stride(from: 0, to: 120, by: 30) {
            let blocks = Dictionary(grouping: order[first..<first + 30], by: { $0 / 10 })
            #expect(blocks.count == 3 && blocks.values.allSatisfy { $0.count == 10 })
        }
        // The images are mixed: no block lies as it was.
        #expect(!zip(order, order.dropFirst()).allSatisfy { $1 == $0 + 1 })
        let neighbors = zip(order, order.dropFirst()).filter { $1 == $0 + 1 }.count
        #expect(neighbors < 20)
    }
}
