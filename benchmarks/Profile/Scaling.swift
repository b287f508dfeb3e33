import CLibrary
import TSimCNE

/// How long a training step would take on more threads than this machine has.
///
/// Each slice is timed alone, on one thread, by the processor's time that the thread took, so that other work
/// on the machine does not count; then as many threads as wanted take the slices of each loop,
/// the longest first, and wait for each other at its end. What threads share (memory, caches, the
/// processor's clock) is not in the prediction, which is what slices alone allow.
struct Scaling {
    var step = Step()

    static let threads = [1, 2, 4, 8, 16, 32, 64]
    /// So many threads, and by how much they should be faster than one.
    static let wanted = (threads: 16, gain: 12.0)

    struct Loop {
        let name: String
        /// Milliseconds of each slice.
        var slices: [Double]

        var total: Double { slices.reduce(0, +) }

        /// Until the last of `threads` is ready.
        func time(threads: Int) -> Double {
            if slices.count <= threads { return slices.max() ?? 0 }
            var busy = Array(repeating: 0.0, count: threads)
            for slice in slices.sorted(by: >) {
                let first = busy.indices.min { busy[$0] < busy[$1] }!
                busy[first] += slice
            }
            return busy.max()!
        }
    }

    func report() {
        let (loops, update) = measure()
        let barrier = measureBarrier()
        let times = Scaling.threads.map { threads in
            loops.reduce(update / Double(threads)) {
                $0 + $1.time(threads: threads) + (threads > 1 ? barrier : 0)
            }
        }
        print(
            "ResNet-\(step.depth), width \(step.width), \(step.views * step.batch) views of "
                + "\(step.size)×\(step.size)×\(step.channels), \(instructionSetLevel): \(loops.count) loops, "
                + "\(rounded(barrier * 1000)) µs for \(step.threads) threads to meet after one, "
                + "\(rounded(update)) ms to update parameters\n")
        print("threads   predicted     gain")
        for (threads, time) in zip(Scaling.threads, times) {
            print(
                step.pad("\(threads)", 7) + step.pad(rounded(time), 9) + " ms "
                    + step.pad(rounded(times[0] / time), 8))
        }
        let allowed = times[0] / Scaling.wanted.gain
        print(
            "\n\(Scaling.wanted.threads) threads would take \(rounded(allowed)) ms at a gain of "
                + "\(rounded(Scaling.wanted.gain)). What they wait for, in ms beyond an even share:\n"
                + "   waits  slices  longest      all   loop")
        let waits = loops.map { loop in
            let share = loop.total / Double(Scaling.wanted.threads)
            return (loop, loop.time(threads: Scaling.wanted.threads) - share)
        }
        for (loop, wait) in waits.sorted(by: { $0.1 > $1.1 }).prefix(12) {
            print(
                step.pad(rounded(wait), 8) + step.pad("\(loop.slices.count)", 8)
                    + step.pad(rounded(loop.slices.max()!), 9) + step.pad(rounded(loop.total), 9) + "   "
                    + loop.name)
        }
    }

    /// The loops of a step with each slice's time, the best of some runs, and what a step takes
    /// outside of them: parameters are updated, in so many slices that threads share it evenly.
    func measure() -> (loops: [Loop], update: Double) {
        var settings = step
        settings.threads = 1
        return settings.withTrainer { trainer in
            let whole = (0..<settings.steps).map { _ in milliseconds { settings.advance(trainer) } }.min()!
            let program = trainer.program!
            let scratch = AlignedBuffer(count: program.scratchCount)
            let alone = ThreadPool(threads: 1)
            var loops = program.elements.compactMap { element -> Loop? in
                guard case .operation(let name, let slices, _, _) = element else { return nil }
                return Loop(name: name, slices: Array(repeating: .infinity, count: slices))
            }
            var inside = Double.infinity
            for _ in 0..<settings.steps {
                var index = 0
                var total = 0.0
                for element in program.elements {
                    guard case .operation(_, let slices, _, let body) = element else { continue }
                    for slice in 0..<slices {
                        let time = BLAS.singleThreaded {
                            milliseconds {
                                _ = alone.run(from: slice, count: slice + 1) { index, _ in
                                    body(index..<index + 1, scratch.pointer)
                                }
                            }
                        }
                        loops[index].slices[slice] = min(loops[index].slices[slice], time)
                        total += time
                    }
                    index += 1
                }
                inside = min(inside, total)
            }
            return (loops, max(0, whole - inside))
        }
    }

    /// The processor's time that this thread takes for `work`.
    private func milliseconds(_ work: () -> Void) -> Double {
        func now() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) * 1e-6
        }
        let started = now()
        work()
        return now() - started
    }

    /// Milliseconds of a loop whose slices do nothing.
    private func measureBarrier() -> Double {
        let pool = ThreadPool(threads: step.threads)
        let runs = 50
        return (0..<200).map { _ in
            let started = ThreadPool.now()
            for _ in 0..<runs { _ = pool.run(count: step.threads) { _, _ in } }
            return Double(ThreadPool.now() - started) / Double(runs) * 1e-6
        }.min()!
    }
}
