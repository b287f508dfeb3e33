import Support
import Testing

@testable import TSimCNEKernels

/// Numbers of 16 bits in memory, beside the definition of rounding.
struct StoredNumbersTests {
    /// Both neighbours of 8 bits are looked at: the nearer one, of two as near the one whose last bit is 0.
    private static func nearest(_ x: Float) -> Float {
        if x.isNaN || x.isInfinite { return x }
        let below = Float(bitPattern: x.bitPattern & 0xffff_0000)
        // Beyond the largest number of 8 bits stands what would come next.
        let above = Float(bitPattern: (x.bitPattern & 0xffff_0000) + 0x1_0000)
        let next = above.isInfinite ? Double(below) + (Double(below) - Double(below.nextStep)) : Double(above)
        let (down, up) = (abs(Double(x) - Double(below)), abs(next - Double(x)))
        if down == up { return below.bitPattern & 0x1_0000 == 0 ? below : above }
        return down < up ? below : above
    }

    private static let special: [Float] = [
        0, -0.0, 1, -1, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude,
        -.greatestFiniteMagnitude, .infinity, -.infinity, 1.003_906_25, 1.011_718_75, -1.003_906_25,
        Float(bitPattern: 0x7f7f_7fff), Float(bitPattern: 0x7f7f_8000), Float(bitPattern: 0x3f80_7fff),
        Float(bitPattern: 0x3f80_8001),
    ]

    @Test func roundingIsToTheNearest() {
        let numbers = StoredNumbersTests.special + values(1000, seed: 1)
        for x in numbers {
            let rounded = StoredBFloat16.rounded(Lanes(repeating: x))
            #expect(rounded[0].bitPattern == StoredNumbersTests.nearest(x).bitPattern, "\(x)")
        }
    }

    @Test(arguments: [Float.nan, -.nan, Float(bitPattern: 0x7f80_0001), Float(bitPattern: 0xffff_ffff)])
    func notANumberStaysNone(x: Float) {
        var lanes = Lanes(repeating: 1)
        lanes[1] = x
        let rounded = StoredBFloat16.rounded(lanes)
        #expect(rounded[0] == 1 && rounded[1].isNaN)
    }

    /// At any place, and nothing beside them is touched.
    @Test func roundedNumbersAreReadAgain() {
        let count = 3 * Lanes.scalarCount
        let numbers = values(count, seed: 2)
        for offset in 0..<5 {
            let memory = AlignedBuffer(count: count)
            for i in 0..<count { memory.pointer[i] = -1 }
            let stored = UnsafeRawPointer(memory.pointer).assumingMemoryBound(to: UInt16.self)
            let before = (0..<2 * count).map { stored[$0] }
            var lanes = Lanes.zero
            for lane in 0..<Lanes.scalarCount { lanes[lane] = numbers[lane] }
            let rounded = StoredBFloat16.rounded(lanes)
            StoredBFloat16.store(rounded, memory.pointer, offset)
            #expect(StoredBFloat16.lanes(memory.pointer, offset) == rounded)
            for i in 0..<2 * count where i < offset || i >= offset + Lanes.scalarCount {
                #expect(stored[i] == before[i])
            }
        }
    }

    @Test func aTensorGivesItsNumbers() {
        let workspace = Workspace()
        let tensor = workspace.tensor(Shape(rows: 3, columns: Lanes.scalarCount), .bfloat16)
        let rounded = StoredBFloat16.rounded(Lanes(repeating: 0.3))
        for row in 0..<3 { StoredBFloat16.store(rounded, tensor.pointer, row * Lanes.scalarCount) }
        #expect(tensor.values == Array(repeating: rounded[0], count: tensor.count))
    }
}

extension Float {
    /// The number of 8 bits before this one, towards zero.
    fileprivate var nextStep: Float { Float(bitPattern: bitPattern - 0x1_0000) }
}
