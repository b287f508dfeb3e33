/// max(0, scale · x + shift) per channel, applied where a tensor is read: what follows a convolution's
/// statistics need not be stored.
public struct Activation: @unchecked Sendable {
    let scale: UnsafePointer<Float>
    let shift: UnsafePointer<Float>

    public init(scale: UnsafePointer<Float>, shift: UnsafePointer<Float>) {
        self.scale = scale
        self.shift = shift
    }

    /// The activation of neighbouring channels, as vectors.
    struct Block {
        let scale: Lanes
        let shift: Lanes

        @inline(__always)
        func callAsFunction(_ x: Lanes) -> Lanes {
            var value = fma(x, scale, shift)
            // NaN stays NaN: a diverged network must not look sane.
            value.replace(with: 0, where: value .< 0)
            return value
        }
    }

    @inline(__always)
    func block(_ channel: Int) -> Block {
        Block(scale: scale.lanes(channel), shift: shift.lanes(channel))
    }
}
