import CLibrary
import CPlatform
import Synchronization

/// Threads that run the slices of one loop at a time.
///
/// Work is cut into slices whose number does not depend on the number of threads, so that results do
/// not either. Threads are started at the first use and again after `fork()`, which no thread but the
/// calling one survives. They block all signals, and flush denormal numbers to zero.
public final class ThreadPool: @unchecked Sendable {
    /// `body(slices, worker)`: `worker` is in `0..<threads` and names the scratch memory to use.
    public typealias Body = (_ slices: Range<Int>, _ worker: Int) -> Void

    public let threads: Int

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let work = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var workers: [cplatform_thread] = []
    private var generation: UInt64 = .max

    // What follows is of the one job at a time; the caller of `run` writes it before `job` is raised.
    private var body: Body?
    private var sliceCount = 0
    private var slicesAtATime = 1
    private var deadline: UInt64 = .max
    private let nextSlice = Atomic<Int>(0)
    private let job = Atomic<Int>(0)
    private let running = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)

    /// - Parameter threads: their number, at least 1; the calling thread is one of them.
    public init(threads: Int) {
        self.threads = max(1, threads)
        prepareLocks()
    }

    deinit {
        if generation == cplatform_fork_generation() { stop() }
        mutex.deallocate()
        work.deallocate()
    }

    /// Runs slices `start..<count` one by one: `body(slice, worker)`.
    public func run(
        from start: Int = 0, count: Int, deadline: UInt64 = .max, body: (_ slice: Int, _ worker: Int) -> Void
    ) -> Int {
        run(from: start, count: count, together: 1, deadline: deadline) { body($0.lowerBound, $1) }
    }

    /// Runs slices `start..<count`, in order of their start, and returns the first one not run.
    ///
    /// A thread takes up to `together` neighbouring slices at a time, fewer where each thread would not get
    /// its share. No slice is begun once the clock passes `deadline` (nanoseconds of ``now()``), except those
    /// that are taken first: there is always progress.
    public func run(
        from start: Int, count: Int, together: Int, deadline: UInt64 = .max, body: Body
    ) -> Int {
        guard start < count else { return count }
        let mode = cplatform_enter_float_mode()
        defer { cplatform_restore_float_mode(mode) }
        let share = share(of: count - start, together: together)
        if threads == 1 || count - start <= share {
            var slice = start
            repeat {
                let next = min(count, slice + share)
                body(slice..<next, 0)
                slice = next
            } while slice < count && (deadline == .max || ThreadPool.now() < deadline)
            return slice
        }
        startWorkersIfNeeded()
        return withoutActuallyEscaping(body) { body in
            self.body = body
            self.sliceCount = count
            self.slicesAtATime = share
            self.deadline = deadline
            nextSlice.store(start, ordering: .relaxed)
            running.store(workers.count, ordering: .relaxed)
            pthread_mutex_lock(mutex)
            job.wrappingAdd(1, ordering: .sequentiallyConsistent)
            pthread_cond_broadcast(work)
            pthread_mutex_unlock(mutex)
            takeSlices(worker: 0, first: start)
            var spins = 0
            while running.load(ordering: .acquiring) > 0 {
                spins += 1
                if spins < 2000 { cplatform_pause() } else { sched_yield() }
            }
            self.body = nil
            return min(nextSlice.load(ordering: .relaxed), count)
        }
    }

    /// Monotonic time in nanoseconds.
    public static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// How many of `count` slices a thread takes at a time, at most `together`: in as many rounds as that takes,
    /// all threads get alike many.
    private func share(of count: Int, together: Int) -> Int {
        let rounds = (count - 1) / (threads * together) + 1
        return (count - 1) / (threads * rounds) + 1
    }

    private func takeSlices(worker: Int, first: Int) {
        let body = self.body!
        let (count, share) = (sliceCount, slicesAtATime)
        let deadline = deadline
        while true {
            // The clock is looked at before slices are taken: what was taken is always run.
            if deadline != .max && nextSlice.load(ordering: .relaxed) > first
                && ThreadPool.now() >= deadline
            {
                return
            }
            let slice = nextSlice.wrappingAdd(share, ordering: .relaxed).oldValue
            if slice >= count { return }
            body(slice..<min(count, slice + share), worker)
        }
    }

    private func prepareLocks() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(work, nil)
    }

    private func startWorkersIfNeeded() {
        let current = cplatform_fork_generation()
        if generation == current { return }
        // In a forked child the old threads are gone and the locks may be held by one of them.
        prepareLocks()
        generation = current
        workers = []
        for index in 1..<threads {
            let start = Unmanaged.passRetained(
                WorkerStart(pool: self, index: index, seenJob: job.load(ordering: .relaxed)))
            var thread = cplatform_thread()
            if cplatform_start_thread(&thread, workerEntry, start.toOpaque()) == 0 {
                workers.append(thread)
            } else {
                // The slices are still all run, by fewer threads.
                start.release()
            }
        }
    }

    private func stop() {
        pthread_mutex_lock(mutex)
        stopping.store(true, ordering: .sequentiallyConsistent)
        pthread_cond_broadcast(work)
        pthread_mutex_unlock(mutex)
        for worker in workers { cplatform_join(worker) }
    }

    fileprivate func serve(worker: Int, seenJob: Int) {
        _ = cplatform_enter_float_mode()
        var seen = seenJob
        while true {
            // A step is a chain of short loops: spinning a little saves a sleep between most of them.
            var spins = 0
            while spins < 4000 && job.load(ordering: .acquiring) == seen
                && !stopping.load(ordering: .relaxed)
            {
                cplatform_pause()
                spins += 1
            }
            if job.load(ordering: .acquiring) == seen {
                pthread_mutex_lock(mutex)
                while job.load(ordering: .sequentiallyConsistent) == seen
                    && !stopping.load(ordering: .sequentiallyConsistent)
                {
                    pthread_cond_wait(work, mutex)
                }
                pthread_mutex_unlock(mutex)
            }
            if stopping.load(ordering: .relaxed) { return }
            seen = job.load(ordering: .acquiring)
            takeSlices(worker: worker, first: -1)
            running.wrappingSubtract(1, ordering: .releasing)
        }
    }
}

private final class WorkerStart {
    unowned let pool: ThreadPool
    let index: Int
    let seenJob: Int

    init(pool: ThreadPool, index: Int, seenJob: Int) {
        self.pool = pool
        self.index = index
        self.seenJob = seenJob
    }
}

private let workerEntry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    let start = Unmanaged<WorkerStart>.fromOpaque($0!).takeRetainedValue()
    // The pool outlives its threads: its deinit joins them.
    let pool = Unmanaged.passUnretained(start.pool)
    pool._withUnsafeGuaranteedRef { $0.serve(worker: start.index, seenJob: start.seenJob) }
    return nil
}
