/// A flat list of operations that is run in order, stopped at any slice, and gone on with later.
///
/// A network writes its forward and backward pass into a program once for each batch size; running
/// it allocates nothing. This is what makes a training step resumable: see ``Program/advance(on:until:)``.
public final class Program {
    /// `body(slices, scratch)`: `scratch` belongs to the running thread during these slices only.
    public typealias Body = (_ slices: Range<Int>, _ scratch: UnsafeMutablePointer<Float>) -> Void

    public enum Element {
        /// A loop whose slices may run at the same time and in any order; a thread takes up to `together`
        /// neighbouring ones at a time.
        case operation(name: String, slices: Int, together: Int, body: Body)
        /// A point at which the caller may look at or exchange numbers.
        case boundary(Boundary)
    }

    public enum Boundary: Equatable, Sendable {
        case batchNormalizationSums(name: String)
        case embeddings
        case gradient(name: String)
    }

    public private(set) var elements: [Element] = []
    /// Time spent in each element since it was added: one look at the clock per loop.
    public private(set) var nanoseconds: [UInt64] = []
    private var owners: [AnyObject] = []
    /// Floats of scratch memory for each thread.
    public private(set) var scratchCount = 0
    private var scratch: [AlignedBuffer] = []

    // Where the run stands.
    private var element = 0
    private var slice = 0

    public init() {}

    /// Appends a loop of `slices` slices, each with `scratch` floats of memory of its own.
    ///
    /// `slices` must depend on shapes only, never on the number of threads.
    public func add(
        _ name: String, slices: Int, scratch: Int = 0,
        _ body: @escaping (_ slice: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
    ) {
        add(name, slices: slices, together: 1, scratch: scratch) { body($0.lowerBound, $1) }
    }

    /// Appends a loop whose slices are the faster the more neighbours, up to `together`, a thread takes at a
    /// time: what these are may depend on the machine, what a slice computes may not.
    public func add(
        _ name: String, slices: Int, together: Int, scratch: Int, _ body: @escaping Body
    ) {
        scratchCount = max(scratchCount, scratch)
        if slices > 0 {
            append(.operation(name: name, slices: slices, together: together, body: body))
        }
    }

    private func append(_ element: Element) {
        elements.append(element)
        nanoseconds.append(0)
    }

    /// Keeps what operations point into for as long as they may run.
    public func keepAlive(_ owner: AnyObject) {
        if !owners.contains(where: { $0 === owner }) { owners.append(owner) }
    }

    /// A tensor with memory of its own must live as long as the program, which knows addresses only.
    func keepAlive(_ tensor: Tensor) {
        if let owner = tensor.owner { keepAlive(owner) }
    }

    public func mark(_ boundary: Boundary) {
        if marks { append(.boundary(boundary)) }
    }

    /// Whether ``mark(_:)`` has an effect: not where what is written is a part of what the caller looks at.
    public var marks = true

    public enum Stop: Equatable, Sendable {
        case timeIsOver
        case boundary(Boundary)
        case end
    }

    /// Allocates the threads' scratch memory, which the first run would do otherwise.
    public func prepare(for pool: ThreadPool) {
        if (scratch.first?.count ?? 0) < scratchCount { scratch = [] }
        while scratch.count < pool.threads { scratch.append(AlignedBuffer(count: scratchCount)) }
    }

    /// Runs on to the next boundary, to the end, or until the clock passes `deadline`; at least one
    /// slice in any case, so that a caller in a hurry still gets on.
    public func advance(on pool: ThreadPool, until deadline: UInt64 = .max) -> Stop {
        prepare(for: pool)
        var isFirst = true
        while element < elements.count {
            switch elements[element] {
            case .boundary(let boundary):
                element += 1
                return .boundary(boundary)
            case .operation(_, let slices, let together, let body):
                let started = ThreadPool.now()
                if !isFirst, started >= deadline { return .timeIsOver }
                slice = pool.run(from: slice, count: slices, together: together, deadline: deadline) {
                    body($0, scratch[$1].pointer)
                }
                nanoseconds[element] += ThreadPool.now() - started
                isFirst = false
                if slice < slices { return .timeIsOver }
                element += 1
                slice = 0
            }
        }
        return .end
    }

    /// Runs everything from the beginning, past all boundaries.
    public func run(on pool: ThreadPool) {
        rewind()
        while advance(on: pool) != .end {}
    }

    /// The next `advance` begins anew.
    public func rewind() {
        element = 0
        slice = 0
    }
}
