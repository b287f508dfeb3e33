/// The memory of a network's activations, lent to one program at a time.
///
/// Memory is lent and returned while a program is *written*, so that what is returned early serves again
/// later in the same program. Programs are written twice: first with a ``planning()`` workspace, which only
/// notes what they want, and then, in the same order, with one that was prepared for it and has a place for
/// everything in one block. One that is not prepared takes memory from the system as it goes.
public final class Workspace {
    private enum Mode { case growing, planning, planned }

    private var mode = Mode.growing

    /// What each program borrows, planned or as it was planned. Points of writing are counted by loans and
    /// returns.
    private var programs: [(loans: [Loan], times: Int)] = [([], 0)]
    /// The program that is being written, and its next loan.
    private var program = 0
    private var next = 0
    /// Floats that planned programs want.
    private var planned: Int?
    /// The memory of planned programs.
    private var block: AlignedBuffer?

    /// Memory that was taken as it was wanted, by its size where nothing of it is lent.
    private var free: [Int: [AlignedBuffer]] = [:]

    private enum Place {
        case noted(loan: Int)
        case buffer(AlignedBuffer, floats: Int)
    }

    private var lent: [UnsafeMutablePointer<Float>: Place] = [:]

    /// A workspace that takes what it lends from the system as it goes.
    public init() {}

    /// A workspace whose tensors have no memory: a program that was written with it must not run.
    public static func planning() -> Workspace {
        let workspace = Workspace()
        workspace.mode = .planning
        return workspace
    }

    /// Floats that can be planned with.
    public static let capacity = 1 << 58

    /// Whether every tensor has a buffer of its own, between pages that may not be touched: see ``GuardedMemory``.
    #if GUARD_PAGES
        static let isGuarded = true
    #else
        static let isGuarded = false
    #endif

    /// Floats that the program wants which wants most.
    public var peak: Int {
        if let planned { return planned }
        var most = 0
        for i in programs.indices {
            most = max(most, programs[i].loans.place(times: programs[i].times))
        }
        planned = most
        return most
    }

    /// Whether programs that were planned with the other one find their memory here.
    public func holds(_ planned: Workspace) -> Bool { block.map { $0.count >= planned.peak } ?? false }

    /// Lends memory to the programs that were planned with the other one, and to no others: those that were written
    /// before will not run again. Each begins with ``reset()``, in the same order. Takes memory only where there is
    /// not enough.
    public func prepare(for planned: Workspace) {
        let floats = planned.peak
        if Workspace.isGuarded { return }
        if !holds(planned) {
            block = nil
            block = AlignedBuffer(count: floats)
        }
        (mode, programs, program, lent) = (.planned, planned.programs, -1, [:])
    }

    /// Takes everything back: the next program is written.
    public func reset() {
        switch mode {
        case .growing:
            for place in lent.values { giveBack(place) }
        case .planning:
            if programs[program].times > 0 {
                programs.append(([], 0))
                program += 1
            }
        case .planned:
            program += 1
        }
        next = 0
        lent = [:]
    }

    /// A tensor in borrowed memory with undefined contents.
    public func tensor(_ shape: Shape, _ precision: Precision = .single) -> Tensor {
        // A number of 16 bits takes half a float.
        let wanted = (shape.count + precision.perElement - 1) / precision.perElement
        // A tensor takes whole cache lines; and some more, so that tensors of equal size do not all begin at
        // the same place of a page, where a load would wait for a store to another one.
        let floats = (wanted + 15) / 16 * 16 + 16 * (wanted >> 22)
        let pointer: UnsafeMutablePointer<Float>
        switch mode {
        case .growing:
            let buffer = free[wanted]?.popLast() ?? taken(wanted)
            pointer = buffer.pointer
            lent[pointer] = .buffer(buffer, floats: wanted)
        case .planning:
            let index = programs[program].loans.count
            programs[program].loans.append(Loan(floats: floats, begin: time()))
            // Nobody looks there; what is lent is known by it.
            pointer = UnsafeMutablePointer(bitPattern: (index + 1) << 16)!
            lent[pointer] = .noted(loan: index)
        case .planned:
            let loan = programs[program].loans[next]
            precondition(loan.floats == floats, "a program was written otherwise than it was planned")
            next += 1
            pointer = block!.pointer + loan.place
        }
        return Tensor(shape, precision, borrowed: pointer)
    }

    /// Counts a point of the writing.
    private func time() -> Int {
        planned = nil
        programs[program].times += 1
        return programs[program].times
    }

    private func taken(_ floats: Int) -> AlignedBuffer {
        let buffer = AlignedBuffer(count: floats)
        // What is read before it was written shows.
        if Workspace.isGuarded { buffer.pointer.update(repeating: .nan, count: floats) }
        return buffer
    }

    private func giveBack(_ place: Place) {
        switch place {
        case .noted(let loan): programs[program].loans[loan].end = time()
        case .buffer(let buffer, let floats): free[floats, default: []].append(buffer)
        }
    }

    /// Lends the tensor's memory to others from this point of the program on.
    public func release(_ tensor: Tensor) {
        if let place = lent.removeValue(forKey: tensor.pointer) { giveBack(place) }
    }

    /// What is lent now.
    public struct Mark { fileprivate let lent: Set<UnsafeMutablePointer<Float>> }

    public func mark() -> Mark { Mark(lent: Set(lent.keys)) }

    /// Lends the memory of all tensors since `mark` to others from this point of the program on.
    public func release(since mark: Mark) {
        for (pointer, place) in lent where !mark.lent.contains(pointer) {
            giveBack(place)
            lent[pointer] = nil
        }
    }
}
