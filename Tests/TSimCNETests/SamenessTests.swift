import Support
import TSimCNEKernels
import Testing

@testable import TSimCNE

/// A run has the same bits wherever its level runs, and nearly the same losses at every level.
@Suite struct SamenessTests {
    /// Checksums of parameters and running statistics after fifty steps. They change when the arithmetic
    /// does, and only then: the test prints what it found. OpenBLAS chooses its kernels by processor; these
    /// were its Haswell and its armv8 one.
    static let checksums: [String: UInt64] = [
        "x86-64": 13_390_071_652_034_286_864, "x86-64-v3": 4_352_366_609_981_064_696,
        "x86-64-v4": 11_909_527_853_747_504_799, "aarch64": 9_011_953_239_656_461_631,
    ]
    static let core = instructionSetLevel == "aarch64" ? "armv8" : "Haswell"
    /// Losses of every tenth step of a ``smooth`` network, at rates that do not make more of what rounding
    /// leaves.
    static let losses: [Double] = [2.731830, 2.714748, 2.787030, 3.025344, 2.235385]

    /// A network without rectifiers: where one meets a value that rounding takes to the other side of
    /// zero, gradients differ by all of it, and runs part.
    static var smooth: Model {
        func unit(_ name: String, _ channels: Int, stride: Int = 1) -> [NamedLayer] {
            [
                NamedLayer("\(name).conv", .convolution(channels: channels, kernel: 3, stride: stride)),
                NamedLayer("\(name).bn", .batchNormalization()),
                NamedLayer("\(name).f", .nonlinearity(.silu)),
            ]
        }
        var configuration = Model.Configuration(channels: 3)
        configuration.layers =
            unit("1", 16) + [NamedLayer("2", .residual(unit("inner", 16)))] + unit("3", 16, stride: 2)
        configuration.hidden = []
        configuration.outputs = 8
        return Model(configuration, seed: 1)
    }

    static func run(_ model: Model) -> [Double] {
        let adamw = Adam(rules: GradientRules(weightDecay: 1e-2, clipValue: 4))
        let fixture = TrainingFixture(
            TrainingFixture.stage(20, metric: .cosine),
            TrainingFixture.stage(
                20, 2, .principal(radius: 3), rate: 0.002,
                schedule: Schedule(.batch(warmup: 0.1), shape: .oneCycle)),
            TrainingFixture.stage(10, 2, rate: 1e-4, optimizer: adamw))
        let trainer = fixture.trainer(model)
        var losses: [Double] = []
        for _ in 0..<5 {
            trainer.take(10)
            losses.append(trainer.loss)
        }
        return losses
    }

    /// Fowler, Noll and Vo's hash of 64 bits.
    static func checksum(_ arrays: [NamedArray]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for array in arrays {
            for value in array.values {
                hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01b3
            }
        }
        return hash
    }

    @Test func lossesAreNearlyTheSameAtEveryLevel() {
        let losses = SamenessTests.run(SamenessTests.smooth)
        for (ours, wanted) in zip(losses, SamenessTests.losses) {
            #expect(abs(ours - wanted) < 1e-3 * wanted, "\(losses)")
        }
    }

    @Test(.enabled(if: BLAS.core == core))
    func bitsAreThoseOfTheLevel() {
        let model = TrainingFixture.model()
        _ = SamenessTests.run(model)
        let found = withExtendedLifetime(model) { SamenessTests.checksum(model.arrays) }
        #expect(found == SamenessTests.checksums[instructionSetLevel], "\(instructionSetLevel): \(found)")
    }
}
