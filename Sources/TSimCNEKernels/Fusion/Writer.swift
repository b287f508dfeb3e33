/// How a kernel stores a tensor: what it adds to the values, or sums of them, while they are in
/// registers.
///
/// Kernels are generic over it and compiled for each kind.
protocol Writer {
    associatedtype Block: WriterBlock
    /// How the numbers lie that are stored.
    associatedtype Stored: StoredNumbers = StoredSingle
    /// The writer for slice `slice` of a loop.
    func ofSlice(_ slice: Int) -> Self
    /// The writer of neighbouring channels from `channel` on. `sample` is one of the values that it will
    /// write; `isFirst` where the slice has written none of these channels before.
    func block(_ channel: Int, isFirst: Bool, sample: Lanes) -> Block
    /// Keeps what the block has summed.
    func keep(_ block: Block, _ channel: Int)
    /// Asks for the lines at an offset that it will read.
    func prefetch(_ offset: Int)
}

extension Writer {
    @inline(__always) func prefetch(_ offset: Int) {}

    /// Writes values that lie elsewhere, or already at their place, to `count` positions from `position`
    /// on, in single precision. `isFirst` as for ``block(_:isFirst:sample:)``.
    @inline(__always)
    func write(
        _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, position: Int, count: Int,
        channels: Int, isFirst: Bool
    ) {
        var c = 0
        while c < channels {
            let lanes = min(Lanes.scalarCount, channels &- c)
            var block = block(c, isFirst: isFirst, sample: source.lanes(c))
            for p in 0..<count {
                let offset = (position &+ p) &* channels &+ c
                (target + offset).storeFirst(lanes, block(source.lanes(p &* channels &+ c), offset))
            }
            keep(block, c)
            c &+= Lanes.scalarCount
        }
    }
}

/// Takes the value of the vector of channels at an offset, returns what is to be stored there.
protocol WriterBlock {
    mutating func callAsFunction(_ value: Lanes, _ offset: Int) -> Lanes
}

/// The values as they are.
struct PlainWriter: Writer {
    struct Block: WriterBlock {
        @inline(__always) func callAsFunction(_ value: Lanes, _ offset: Int) -> Lanes { value }
    }

    @inline(__always) func ofSlice(_ slice: Int) -> Self { self }
    @inline(__always) func block(_ channel: Int, isFirst: Bool, sample: Lanes) -> Block { Block() }
    @inline(__always) func keep(_ block: Block, _ channel: Int) {}
}

/// Sums the values, as they will be read again, and their squares for the batch's statistics, about the first
/// value of a slice: no cancellation.
struct StatisticsWriter<Stored: StoredNumbers>: Writer {
    /// Rows of a slice: the value the sums are about, Σ, Σ of squares.
    var sums: PartialSums

    struct Block: WriterBlock {
        let origin: Lanes
        var sum: Lanes
        var squares: Lanes

        @inline(__always) mutating func callAsFunction(_ value: Lanes, _ offset: Int) -> Lanes {
            let value = Stored.rounded(value)
            let difference = value - origin
            sum += difference
            squares = fma(difference, difference, squares)
            return value
        }
    }

    @inline(__always) func ofSlice(_ slice: Int) -> Self { Self(sums: sums.ofSlice(slice)) }

    @inline(__always) func block(_ channel: Int, isFirst: Bool, sample: Lanes) -> Block {
        isFirst
            ? Block(origin: sample, sum: .zero, squares: .zero)
            : Block(
                origin: sums.lanes(0, channel), sum: sums.lanes(1, channel), squares: sums.lanes(2, channel))
    }

    @inline(__always) func keep(_ block: Block, _ channel: Int) {
        sums.store(block.origin, 0, channel)
        sums.store(block.sum, 1, channel)
        sums.store(block.squares, 2, channel)
    }
}

/// value · scale + shift, plus a residual where there is one, and the positive part if wanted: a batch
/// normalisation whose coefficients are known.
public struct AffineWriter: @unchecked Sendable, Writer {
    let scale: UnsafePointer<Float>
    let shift: UnsafePointer<Float>
    let residual: UnsafePointer<Float>?
    let rectifies: Bool

    public init(
        scale: UnsafePointer<Float>, shift: UnsafePointer<Float>, residual: UnsafePointer<Float>?,
        rectifies: Bool
    ) {
        self.scale = scale
        self.shift = shift
        self.residual = residual
        self.rectifies = rectifies
    }

    struct Block: WriterBlock {
        let scale: Lanes
        let shift: Lanes
        let residual: UnsafePointer<Float>?
        let floor: Lanes

        @inline(__always) func callAsFunction(_ value: Lanes, _ offset: Int) -> Lanes {
            var value = fma(value, scale, shift)
            if let residual { value += residual.lanes(offset) }
            // NaN stays NaN: a diverged network must not look sane.
            value.replace(with: floor, where: value .< floor)
            return value
        }
    }

    @inline(__always) func ofSlice(_ slice: Int) -> Self { self }
    @inline(__always) func block(_ channel: Int, isFirst: Bool, sample: Lanes) -> Block {
        Block(
            scale: scale.lanes(channel), shift: shift.lanes(channel), residual: residual,
            floor: Lanes(repeating: rectifies ? 0 : -.infinity))
    }
    @inline(__always) func keep(_ block: Block, _ channel: Int) {}
    @inline(__always) func prefetch(_ offset: Int) { residual?.prefetch(offset) }
}

/// Adds another gradient with respect to the same tensor; that may lie where the sum is written.
struct AddingWriter: Writer {
    let other: UnsafePointer<Float>

    struct Block: WriterBlock {
        let other: UnsafePointer<Float>
        @inline(__always) func callAsFunction(_ value: Lanes, _ offset: Int) -> Lanes {
            value + other.lanes(offset)
        }
    }

    @inline(__always) func ofSlice(_ slice: Int) -> Self { self }
    @inline(__always) func block(_ channel: Int, isFirst: Bool, sample: Lanes) -> Block {
        Block(other: other)
    }
    @inline(__always) func keep(_ block: Block, _ channel: Int) {}
    @inline(__always) func prefetch(_ offset: Int) { other.prefetch(offset) }
}
