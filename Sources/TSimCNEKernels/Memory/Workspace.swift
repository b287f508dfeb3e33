/// The memory of a network's activations, lent to one program at a time.
///
/// Memory is lent and returned while a program is *written*, so that what is returned early serves again
/// later in the same program. Writing a program twice, first with a ``planning()`` workspace and then with
/// one that was ``init(planned:)`` by it, takes no more from the system than was ever lent at once.
public final class Workspace {
    /// Neighbouring memory, with the parts of it that are free: ranges of floats in order of address.
    private struct Region {
        let start: UnsafeMutablePointer<Float>
        let count: Int
        /// Little tensors would leave holes in it that large ones no longer fit into.
        let isForLarge: Bool
        let owner: AlignedBuffer?
        var free: [Range<Int>]
        /// Floats from the beginning that were ever lent.
        var peak = 0

        init(start: UnsafeMutablePointer<Float>, count: Int, isForLarge: Bool, owner: AlignedBuffer?) {
            self.start = start
            self.count = count
            self.isForLarge = isForLarge
            self.owner = owner
            free = [0..<count]
        }

        mutating func take(_ index: Int, _ count: Int) -> Range<Int> {
            let taken = free[index].lowerBound..<free[index].lowerBound + count
            free[index] = taken.upperBound..<free[index].upperBound
            if free[index].isEmpty { free.remove(at: index) }
            peak = max(peak, taken.upperBound)
            return taken
        }

        mutating func giveBack(_ range: Range<Int>) {
            var whole = range
            var index = free.firstIndex { $0.lowerBound >= range.upperBound } ?? free.count
            if index < free.count, free[index].lowerBound == whole.upperBound {
                whole = whole.lowerBound..<free.remove(at: index).upperBound
            }
            if index > 0, free[index - 1].upperBound == whole.lowerBound {
                index -= 1
                whole = free.remove(at: index).lowerBound..<whole.upperBound
            }
            free.insert(whole, at: index)
        }
    }

    private var regions: [Region] = []
    private var isPlanning = false
    private var lent: [UnsafeMutablePointer<Float>: (region: Int, range: Range<Int>)] = [:]

    /// A workspace that takes what it lends from the system as it goes.
    public init() {}

    /// A workspace with the memory that was lent by a planning one.
    public init(planned: Workspace) {
        if Workspace.isGuarded { return }
        for region in planned.regions where region.peak > 0 {
            addRegion(region.peak, isForLarge: region.isForLarge)
        }
    }

    /// A workspace whose tensors have no memory: a program that was written with it must not run.
    public static func planning() -> Workspace {
        let workspace = Workspace()
        workspace.isPlanning = true
        for isForLarge in [false, true] {
            let nowhere = UnsafeMutablePointer<Float>(bitPattern: isForLarge ? 1 << 60 : 1 << 30)!
            workspace.regions.append(
                Region(start: nowhere, count: capacity, isForLarge: isForLarge, owner: nil))
        }
        return workspace
    }

    /// Floats that can be planned with, for small tensors and for large ones.
    public static let capacity = 1 << 58

    /// Floats that were ever lent at once.
    public var peak: Int { regions.reduce(0) { $0 + $1.peak } }

    /// Whether a program that was planned with the other one finds its memory here.
    public func holds(_ planned: Workspace) -> Bool {
        planned.regions.allSatisfy { wanted in
            wanted.peak == 0
                || regions.contains { $0.isForLarge == wanted.isForLarge && $0.count >= wanted.peak }
        }
    }

    /// Whether every tensor has a buffer of its own, between pages that may not be touched: see ``GuardedMemory``.
    #if GUARD_PAGES
        static let isGuarded = true
    #else
        static let isGuarded = false
    #endif

    private func addRegion(_ count: Int, isForLarge: Bool) {
        let owner = AlignedBuffer(count: count)
        // What is read before it was written shows.
        if Workspace.isGuarded { owner.pointer.update(repeating: .nan, count: count) }
        regions.append(
            Region(start: owner.pointer, count: count, isForLarge: isForLarge, owner: owner))
    }

    /// Floats from which on a tensor is large.
    private static let large = 1 << 18

    /// A tensor in borrowed memory with undefined contents.
    public func tensor(_ shape: Shape) -> Tensor {
        // A tensor takes whole cache lines; and some more, so that tensors of equal size do not all begin at
        // the same place of a page, where a load would wait for a store to another one: in proportion, so
        // that two halves still fit where a whole was.
        let isExact = Workspace.isGuarded && !isPlanning
        let count = isExact ? shape.count : (shape.count + 15) / 16 * 16 + 16 * (shape.count >> 22)
        let isLarge = count >= Workspace.large
        var best: (region: Int, index: Int)?
        for (r, region) in regions.enumerated() where region.isForLarge == isLarge {
            for (i, range) in region.free.enumerated() where range.count >= count {
                if isExact && range.count > count { continue }
                // The smallest range that is large enough is taken, the first among equals: the same in every
                // run.
                if let found = best, regions[found.region].free[found.index].count <= range.count { continue }
                best = (r, i)
            }
        }
        guard let best else {
            addRegion(count, isForLarge: isLarge)
            return tensor(shape)
        }
        let range = regions[best.region].take(best.index, count)
        let pointer = regions[best.region].start + range.lowerBound
        lent[pointer] = (best.region, range)
        return Tensor(shape, borrowed: pointer)
    }

    /// Lends the tensor's memory to others from this point of the program on.
    public func release(_ tensor: Tensor) {
        if let (region, range) = lent.removeValue(forKey: tensor.pointer) {
            regions[region].giveBack(range)
        }
    }

    /// What is lent now.
    public struct Mark { fileprivate let lent: Set<UnsafeMutablePointer<Float>> }

    public func mark() -> Mark { Mark(lent: Set(lent.keys)) }

    /// Lends the memory of all tensors since `mark` to others from this point of the program on.
    public func release(since mark: Mark) {
        for (pointer, place) in lent where !mark.lent.contains(pointer) {
            regions[place.region].giveBack(place.range)
            lent[pointer] = nil
        }
    }

    /// Takes everything back: the program that borrowed it will not run again.
    public func reset() {
        for r in regions.indices { regions[r].free = [0..<regions[r].count] }
        lent = [:]
    }
}
