import Support
import Testing

@testable import TSimCNE

@Suite struct MuonTests {
    static let shapes = [(5, 9), (9, 5), (7, 7), (1, 6), (6, 1), (130, 40)]

    @Test(arguments: shapes)
    func singularValuesComeNearToOne(rows: Int, columns: Int) {
        let matrix = values(rows * columns, seed: 1)
        let length = doubles(matrix).reduce(0) { $0 + $1 * $1 }.squareRoot()
        let x = matrix.map { Float(Double($0) / length) }
        let result = AlignedBuffer(count: rows * columns)
        let form = Orthogonalization(rows: rows, columns: columns)
        let scratch = AlignedBuffer(count: form.scratchCount)
        withExtendedLifetime(scratch) {
            x.withUnsafeBufferPointer {
                form.run($0.baseAddress!, into: result.pointer, scratch: scratch.pointer)
            }
        }
        let wanted = OptimizerReference.orthogonal(
            (0..<rows).map { row in doubles(Array(x[row * columns..<(row + 1) * columns])) })
        #expect(relativeError(result.values, Array(wanted.joined()), floor: 1e-3) < 1e-3)
    }

    static func parameter(_ value: [Float], _ gradient: [Float], shape: [Int]) -> Parameter {
        let parameter = Parameter("weight", shape: shape)
        for i in value.indices {
            (parameter.value.pointer[i], parameter.gradient.pointer[i]) = (value[i], gradient[i])
        }
        return parameter
    }

    static func move(_ parameter: Parameter, rate: Float) {
        let muon = Muon(momentum: 0.9, rules: GradientRules(weightDecay: 0.1))
        let scratch = AlignedBuffer(count: muon.scratchCount(parameter))
        withExtendedLifetime(scratch) {
            for part in muon.parts(of: parameter) {
                muon.update(
                    parameter, part: part, OptimizerStep(learningRate: rate), scratch: scratch.pointer)
            }
        }
    }

    @Test func withoutAGradientWeightsStay() {
        let before = values(24, seed: 2)
        let parameter = MuonTests.parameter(before, [Float](repeating: 0, count: 24), shape: [4, 6])
        MuonTests.move(parameter, rate: 0.5)
        #expect(parameter.value.values == before)
    }

    @Test func weightsOfZeroTakeTheRateAsTheirLength() {
        let zeros = [Float](repeating: 0, count: 24)
        let parameter = MuonTests.parameter(zeros, values(24, seed: 3), shape: [4, 6])
        MuonTests.move(parameter, rate: 0.5)
        let length = doubles(parameter.value.values).reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(abs(length - 0.5) < 1e-5)
    }

    /// Numbers whose squares are no float.
    @Test(arguments: [Float(1e-30), 1e17])
    func theSizeOfAGradientDoesNotCount(size: Float) {
        let (weights, slope) = (values(24, seed: 4), values(24, seed: 5))
        let (one, other) = (
            MuonTests.parameter(weights, slope, shape: [4, 6]),
            MuonTests.parameter(weights, slope.map { size * $0 }, shape: [4, 6])
        )
        MuonTests.move(one, rate: 0.1)
        MuonTests.move(other, rate: 0.1)
        #expect(relativeError(other.value.values, doubles(one.value.values), floor: 1e-3) < 1e-4)
        #expect(one.value.values != weights)
    }

    @Test func partsCoverAllColumns() {
        let muon = Muon(momentum: 0.9, rules: GradientRules(weightDecay: 0))
        for (shape, count) in [
            ([3, 3, 64, 256], 2), ([512, 512], 4), ([128, 512], 1), ([3, 3, 16, 130], 2), ([200], 1),
        ] {
            let parts = muon.parts(of: Parameter("weight", shape: shape))
            #expect(parts.count == count)
            #expect(parts.first!.lowerBound == 0 && parts.last!.upperBound == shape.last!)
            #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        }
    }
}
