import CLibrary
import TSimCNEKernels
import Testing

@Suite struct ElementaryTests {
    /// The distance in units of the last place of the value.
    private func distance(_ ours: Double, _ theirs: Double) -> Double {
        ours == theirs ? 0 : abs(ours - theirs) / theirs.ulp
    }

    @Test func logarithmsAreLibmsToTheLastPlaces() {
        var worst = 0.0
        for i in 1...20_000 {
            let x: Double = CLibrary.exp(Double(i) * 0.07 - 700)
            worst = max(worst, distance(Elementary.log(x), CLibrary.log(x)))
            let near: Double = 0.5 + Double(i) / 13_000
            worst = max(worst, distance(Elementary.log(near), CLibrary.log(near)))
        }
        #expect(worst <= 2)
        #expect(Elementary.log(1) == 0)
        #expect(Elementary.log(0) == -.infinity && Elementary.log(.infinity) == .infinity)
        #expect(Elementary.log(-1).isNaN && Elementary.log(.nan).isNaN)
        #expect(distance(Elementary.log(.leastNonzeroMagnitude), CLibrary.log(.leastNonzeroMagnitude)) <= 2)
    }

    @Test func exponentialsAreLibmsToTheLastPlaces() {
        var worst = 0.0
        for i in 0...20_000 {
            let x: Double = Double(i) * 0.0705 - 705
            worst = max(worst, distance(Elementary.exp(x), CLibrary.exp(x)))
        }
        #expect(worst <= 3)
        #expect(Elementary.exp(0) == 1)
        #expect(Elementary.exp(710) == .infinity && Elementary.exp(.infinity) == .infinity)
        #expect(Elementary.exp(-800) == 0 && Elementary.exp(-.infinity) == 0)
        #expect(Elementary.exp(.nan).isNaN)
    }

    @Test func cosinesOfTurns() {
        var worst = 0.0
        for i in -3000...3000 {
            let t: Double = Double(i) / 1024
            worst = max(worst, abs(Elementary.cosine(turns: t) - CLibrary.cos(2 * .pi * t)))
        }
        // libm is given a rounded multiple of π.
        #expect(worst < 3e-15)
        #expect(Elementary.cosine(turns: 0) == 1 && Elementary.cosine(turns: 0.5) == -1)
        #expect(Elementary.cosine(turns: 0.25) == 0)
    }

    @Test func powers() {
        #expect(Elementary.power(0.9, 0) == 1 && Elementary.power(2, -3) == 0.125)
        #expect(distance(Elementary.power(0.999, 12345), CLibrary.pow(0.999, 12345)) < 12345)
    }
}
