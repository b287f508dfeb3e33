import Synchronization
import TSimCNEKernels
import Testing

/// Denormal numbers are zero in every thread that runs slices, and only there.
@Suite struct FloatModeTests {
    /// A product that is denormal, and one whose factor is. The optimiser does not know `one`.
    static func products() -> [Float] {
        let one = Float(min(1, CommandLine.arguments.count))
        return [one * Float.leastNormalMagnitude * 0.25, one * Float.leastNonzeroMagnitude * 0x1p100]
    }

    @Test func everyWorkerFlushesAndTheCallersModeIsRestored() {
        let wanted: [Float] = [0x1p-128, 0x1p-49]
        #expect(FloatModeTests.products() == wanted)
        let threads = 4
        let found = Mutex<[[Float]]>([])
        let arrived = Atomic<Int>(0)
        _ = ThreadPool(threads: threads).run(count: threads) { _, _ in
            let products = FloatModeTests.products()
            found.withLock { $0.append(products) }
            // No worker takes a second slice while another has none.
            arrived.wrappingAdd(1, ordering: .sequentiallyConsistent)
            while arrived.load(ordering: .sequentiallyConsistent) < threads {}
        }
        #expect(found.withLock { $0 } == Array(repeating: [0, 0], count: threads))
        #expect(FloatModeTests.products() == wanted)
    }
}
