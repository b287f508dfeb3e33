import Support
import TSimCNEKernels
import Testing

/// An image whose sizes are no multiples of a vector's, with ends of the range and grey among its pixels.
struct PlanesCase: CustomStringConvertible, Sendable {
    let height: Int
    let width: Int
    let channels: Int
    let levels: Levels
    var description: String { "\(height)×\(width)×\(channels), \(levels)" }

    static let all = [(1, 1, 3), (5, 7, 3), (16, 16, 3), (37, 33, 3), (9, 21, 1), (12, 10, 5), (70, 90, 1)]
        .flatMap { h, w, c in
            [Levels.bytes, .unit].map { PlanesCase(height: h, width: w, channels: c, levels: $0) }
        }
    static let squares = all.filter { $0.height == $0.width }
    static let colors = all.filter { $0.channels == 3 }

    func values(seed: UInt64) -> [Float] {
        var values = Support.values(height * width * channels, seed: seed).map { ($0 + 1) / 2 }
        for p in 0..<height * width {
            let pixel = p * channels..<(p + 1) * channels
            if p % 5 == 1 { for i in pixel { values[i] = (values[i] * 2).rounded() / 2 } }
            if p % 7 == 2 { for i in pixel { values[i] = values[p * channels] } }
        }
        return levels == .unit ? values : values.map { ($0 * 255).rounded() }
    }

    /// Does the same to planes and to the reference and compares bits.
    func check(
        _ planes: (Planes) -> Void, _ reference: (inout PlanesReference) -> Void,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let values = values(seed: 1)
        let image = PlanarImage(values, height: height, width: width, channels: channels, levels)
        var wanted = PlanesReference(values, height: height, width: width, channels: channels, levels)
        planes(image.planes)
        reference(&wanted)
        #expect(image.values == wanted.values, sourceLocation: location)
    }
}

@Suite struct PlanesTests {
    @Test(arguments: PlanesCase.all)
    func blendsAreTheDefinitions(_ test: PlanesCase) {
        for base in [0, 0.25, 1] as [Float] {
            for factor in [0, 0.6, 1, 1.37, 40] as [Float] {
                let base = (base * test.levels.maximum).rounded(.down)
                test.check(
                    { $0.blend(base: base, factor: factor, test.levels) },
                    { $0.change { $0.blend($1, base: base, factor: factor) } })
            }
        }
    }

    @Test(arguments: PlanesCase.colors)
    func coloursAreTheDefinitions(_ test: PlanesCase) {
        test.check({ $0.makeGray(test.levels) }, { $0.change { [Float](repeating: $0.luma($1), count: 3) } })
        for factor in [0, 0.6, 1, 1.37, 40] as [Float] {
            test.check(
                { $0.saturate(factor: factor, test.levels) },
                { $0.change { $0.blend($1, base: $0.luma($1), factor: factor) } })
        }
        for turns in [-0.5, -0.1, -0.003, 0, 0.02, 1.0 / 3, 0.5] as [Float] {
            test.check(
                { $0.shiftHue(by: turns, test.levels) }, { $0.change { $0.shiftHue($1, by: turns) } })
        }
    }

    /// Values of channels that are no colours are summed channel by channel.
    @Test(arguments: PlanesCase.all)
    func meanIsTheDefinition(_ test: PlanesCase) {
        let (h, w, c) = (test.height, test.width, test.channels)
        let values = test.values(seed: 2)
        let image = PlanarImage(values, height: h, width: w, channels: c, test.levels)
        let found = withExtendedLifetime(image) { image.planes.mean(test.levels) }
        let wanted = PlanesReference(values, height: h, width: w, channels: c, test.levels).mean()
        if test.levels == .bytes || c <= 3 { #expect(found == wanted) }
        #expect(abs(found - wanted) <= wanted.ulp)
    }

    @Test(arguments: PlanesCase.squares)
    func transposeExchangesRowsAndColumns(_ test: PlanesCase) {
        test.check({ $0.transpose() }, { $0.transpose() })
    }

    /// Parts are any, with any taps inside them.
    @Test(arguments: PlanesCase.all)
    func interpolationIsTheDefinition(_ test: PlanesCase) {
        for seed in 1...6 as ClosedRange<UInt64> {
            var draws = values(4 + 3 * (test.height + test.width), seed: seed).map { ($0 + 1) / 2 }
                .makeIterator()
            func draw(below limit: Int) -> Int { min(limit - 1, Int(draws.next()! * Float(limit))) }
            func taps(_ count: Int, of size: Int) -> [Tap] {
                (0..<count).map { _ in
                    let weight = draws.next()!
                    return Tap(
                        first: draw(below: size), second: draw(below: size), firstWeight: weight,
                        secondWeight: 1 - weight)
                }
            }
            let (h, w) = (1 + draw(below: test.height), 1 + draw(below: test.width))
            let (top, left) = (draw(below: test.height - h + 1), draw(below: test.width - w + 1))
            let (columns, rows) = (taps(test.width, of: w), taps(test.height, of: h))
            let values = test.values(seed: seed)
            let image = PlanarImage(
                values, height: test.height, width: test.width, channels: test.channels, test.levels)
            image.interpolate(
                values, top: top, left: left, height: h, width: w, columns: columns, rows: rows)
            var wanted = PlanesReference(
                values, height: test.height, width: test.width, channels: test.channels, test.levels)
            wanted.interpolate(top: top, left: left, height: h, columns: columns, rows: rows)
            #expect(image.values == wanted.values)
        }
    }
}
