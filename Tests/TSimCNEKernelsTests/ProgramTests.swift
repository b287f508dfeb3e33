import Synchronization
import Testing

@testable import TSimCNEKernels

@Suite struct ProgramTests {
    @Test(arguments: [1, 2, 3, 7])
    func everySliceRunsOnceWhereverItIsStopped(threads: Int) {
        let program = Program()
        // Each slice has a place of its own.
        let counts = AlignedBuffer(count: 100)
        program.add("a", slices: 60) { slice, _ in counts.pointer[slice] += 1 }
        program.mark(.embeddings)
        program.add("b", slices: 40) { slice, _ in counts.pointer[60 + slice] += 1 }
        let pool = ThreadPool(threads: threads)
        var stops = 0
        while true {
            // The deadline is so near that a call makes hardly more progress than one slice.
            let stop = program.advance(on: pool, until: stops == 0 ? .max : ThreadPool.now() + 2000)
            if stop == .end { break }
            if stops == 0 { #expect(stop == .boundary(.embeddings)) }
            stops += 1
        }
        #expect((0..<100).allSatisfy { counts.pointer[$0] == 1 })
    }

    @Test(arguments: [1, 2, 3, 7], [1, 2, 5, 100])
    func neighboursThatAreTakenTogetherRunOnceAndAreSharedAmongThreads(threads: Int, together: Int) {
        for count in [1, 2, 3, 10, 64] {
            let taken = Mutex<[Range<Int>]>([])
            let pool = ThreadPool(threads: threads)
            let stopped = pool.run(from: 0, count: count, together: together) { slices, _ in
                taken.withLock { $0.append(slices) }
            }
            #expect(stopped == count)
            let ranges = taken.withLock { $0 }.sorted { $0.lowerBound < $1.lowerBound }
            #expect(ranges.flatMap { Array($0) } == Array(0..<count))
            let most = ranges.map(\.count).max()!
            #expect(most <= together && most <= (count + threads - 1) / threads)
        }
    }

    @Test func whatIsTakenTogetherGoesOnWhereItWasStopped() {
        let program = Program()
        let counts = AlignedBuffer(count: 37)
        program.add("a", slices: 37, together: 4, scratch: 0) { slices, _ in
            for slice in slices { counts.pointer[slice] += 1 }
        }
        let pool = ThreadPool(threads: 2)
        while program.advance(on: pool, until: 0) != .end {}
        #expect((0..<37).allSatisfy { counts.pointer[$0] == 1 })
    }

    @Test(arguments: [1, 2])
    func aLoopWithoutSlicesRunsNothing(threads: Int) {
        let pool = ThreadPool(threads: threads)
        let runs = Mutex(0)
        #expect(pool.run(count: 0) { _, _ in runs.withLock { $0 += 1 } } == 0)
        #expect(runs.withLock { $0 } == 0)
    }

    @Test func exponentialIsWithinTwoUlps() {
        for i in -870...880 {
            let x = Float(i) / 10 + 0.0137
            let got = exponential(Lanes(repeating: x))[0]
            let wanted = Float(_exp(Double(x)))
            if x < 87 { #expect(abs(got - wanted) <= 2 * wanted.ulp, "at \(x)") }
        }
        #expect(exponential(Lanes(repeating: .nan))[0].isNaN)
        #expect(exponential(Lanes(repeating: -1000))[0] == 0)
    }

    /// The series, in double precision, after halving the argument often enough.
    private func _exp(_ x: Double) -> Double {
        var (term, sum) = (1.0, 1.0)
        let small = x / 1024
        for n in 1...20 {
            term *= small / Double(n)
            sum += term
        }
        for _ in 0..<10 { sum *= sum }
        return sum
    }
}
