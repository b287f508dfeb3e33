import Support
import Testing

@testable import TSimCNEKernels

struct WorkspaceTests {
    @Test func returnedMemoryIsLentAgain() {
        let workspace = Workspace()
        let first = workspace.tensor(Shape(rows: 10, columns: 10))
        workspace.release(first)
        #expect(workspace.tensor(Shape(rows: 10, columns: 10)).pointer == first.pointer)
    }

    /// Loans drawn by chance: those of the same time never overlap, and the block is seldom much larger than what is
    /// lent at once.
    @Test(arguments: 0..<20)
    func loansOfTheSameTimeDoNotOverlap(seed: UInt64) {
        var numbers = values(2000, seed: seed).map { Double($0 + 1) / 2 }
        var (loans, open): ([Loan], [Int]) = ([], [])
        var (time, lent, most) = (0, 0, 0)
        for _ in 0..<(seed < 2 ? 0 : 600) {
            time += 1
            if open.isEmpty || numbers.removeLast() < 0.52 {
                let floats = 1 + Int(999 * numbers.removeLast())
                open.append(loans.count)
                loans.append(Loan(floats: floats, begin: time))
                lent += floats
            } else {
                let index = open.remove(at: Int(numbers.removeLast() * Double(open.count - 1)))
                loans[index].end = time
                lent -= loans[index].floats
            }
            most = max(most, lent)
        }
        let size = loans.place(times: time)
        #expect(size >= most && Double(size) <= 1.25 * Double(most))
        for (i, a) in loans.enumerated() {
            #expect(a.place >= 0 && a.place + a.floats <= size)
            for b in loans[..<i] where a.begin < b.end && b.begin < a.end {
                #expect(a.place + a.floats <= b.place || b.place + b.floats <= a.place)
            }
        }
    }

    /// Writes a program in which a tensor is returned before the third is wanted.
    private func write(_ workspace: Workspace, _ columns: Int) -> [UnsafeMutablePointer<Float>] {
        workspace.reset()
        let first = workspace.tensor(Shape(rows: 4, columns: columns))
        let mark = workspace.mark()
        let second = workspace.tensor(Shape(rows: 2, columns: columns))
        workspace.release(first)
        let third = workspace.tensor(Shape(rows: 4, columns: columns))
        workspace.release(since: mark)
        return [first, second, third].map(\.pointer)
    }

    @Test func programsFindWhatWasPlanned() {
        let plan = Workspace.planning()
        for columns in [64, 16] { _ = write(plan, columns) }
        #expect(plan.peak == 6 * 64)
        let workspace = Workspace()
        workspace.prepare(for: plan)
        for columns in [64, 16] {
            let places = write(workspace, columns)
            #expect(Set(places).count == 2)
        }
    }

    @Test func memoryIsTakenOnlyWhereThereIsNotEnough() {
        func plan(_ columns: Int) -> Workspace {
            let plan = Workspace.planning()
            _ = write(plan, columns)
            return plan
        }
        let workspace = Workspace()
        #expect(!workspace.holds(plan(32)))
        workspace.prepare(for: plan(32))
        let first = write(workspace, 32)[0]
        if Workspace.isGuarded { return }
        #expect(workspace.holds(plan(16)) && !workspace.holds(plan(64)))
        workspace.prepare(for: plan(16))
        #expect(write(workspace, 16).contains(first))
    }
}
