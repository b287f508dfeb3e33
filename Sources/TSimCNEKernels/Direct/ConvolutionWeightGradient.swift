/// Weight gradient: dW[tap] = Σ over positions of (input at the tap)ᵀ · output gradient.
///
/// Positions are the long side of the product. Small weights are summed by groups of images, each into
/// a copy of its own; large ones are cut into blocks that each sum over all images. Either number
/// depends on shapes only, so that bits do not depend on threads.
struct ConvolutionWeightGradient: Sendable {
    let geometry: ConvolutionGeometry
    private let panels: Panels
    /// Groups of images with copies of their own.
    let groups: Int
    /// Whether a slice has one tap and one panel, or all of them.
    private let cut: Bool
    /// Whether outputs have no neighbourhoods: positions are then rows of two matrices, wherever planes
    /// begin.
    private let isMatrix: Bool

    init(_ geometry: ConvolutionGeometry) {
        self.geometry = geometry
        panels = Panels(columns: geometry.outputChannels)
        let copies = (4 << 20) / geometry.weightCount
        isMatrix = geometry.kernel == 1 && geometry.stride == 1
        // A copy is written and read once more: that must be little beside the product.
        let worthwhile = isMatrix ? geometry.output.positions / 256 : 32
        groups = max(1, min(32, copies, worthwhile, geometry.input.images))
        cut = groups < 16
    }

    /// Output gradients that fill a third of a 48 KiB first-level cache.
    private static let block = 4096

    private var taps: Int { geometry.kernel * geometry.kernel }
    private var blocks: Int { cut ? taps * panels.elements.count : 1 }
    var slices: Int { groups * blocks }

    /// Writes a slice's share into `gradient`, which holds one copy of the weights for each group.
    func run(
        slice: Int, input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
        gradient: UnsafeMutablePointer<Float>
    ) {
        let (group, block) = (slice / blocks, slice % blocks)
        let count = geometry.input.images
        let images = group * count / groups..<(group + 1) * count / groups
        let target = gradient + group * geometry.weightCount
        let all = panels.elements
        if cut {
            let panel = all[block % all.count]
            let tap = block / all.count
            accumulate(
                images: images, taps: tap..<tap + 1, panels: [panel], input: input,
                outputGradient: outputGradient, target: target)
        } else {
            accumulate(
                images: images, taps: 0..<taps, panels: all, input: input, outputGradient: outputGradient,
                target: target)
        }
    }

    private func accumulate(
        images: Range<Int>, taps: Range<Int>, panels: [Panels.Element], input: UnsafePointer<Float>,
        outputGradient: UnsafePointer<Float>, target: UnsafeMutablePointer<Float>
    ) {
        let shape = geometry.output
        if isMatrix {
            let plane = shape.height * shape.width
            return sum(
                positions: images.lowerBound * plane..<images.upperBound * plane, panels: panels,
                input: input, outputGradient: outputGradient, target: target)
        }
        for tap in taps {
            for panel in panels { clear(tap: tap, panel: panel, target: target) }
        }
        for image in images {
            for panel in panels {
                let rows = max(1, Self.block / (shape.width * panel.width))
                var first = 0
                while first < shape.height {
                    let last = min(shape.height, first + rows)
                    for tap in taps {
                        multiply(
                            image: image, rows: first..<last, tap: tap, panel: panel, input: input,
                            outputGradient: outputGradient, target: target)
                    }
                    first = last
                }
            }
        }
    }

    private func sum(
        positions: Range<Int>, panels: [Panels.Element], input: UnsafePointer<Float>,
        outputGradient: UnsafePointer<Float>, target: UnsafeMutablePointer<Float>
    ) {
        let (channels, outputs) = (geometry.input.channels, geometry.outputChannels)
        var first = positions.lowerBound
        while first < positions.upperBound {
            let count = min(Self.block / panels[0].width, positions.upperBound &- first)
            for panel in panels {
                TileProduct(
                    a: input + first &* channels, rowStrideA: 1, depthStrideA: channels,
                    b: outputGradient + (first &* outputs &+ panel.column), depthStrideB: outputs,
                    depth: count, c: target + panel.column, rowStrideC: outputs,
                    accumulate: first > positions.lowerBound
                ).run(rows: channels, columns: panel.columns, vectors: panel.vectors)
            }
            first &+= count
        }
    }

    private func clear(tap: Int, panel: Panels.Element, target: UnsafeMutablePointer<Float>) {
        let inputs = geometry.input.channels
        for r in 0..<inputs {
            (target + ((tap &* inputs &+ r) &* geometry.outputChannels &+ panel.column))
                .update(repeating: 0, count: panel.columns)
        }
    }

    /// Adds what the outputs in `rows` contribute through one tap; outputs whose tap lies in the border
    /// contribute nothing and are left out.
    private func multiply(
        image: Int, rows: Range<Int>, tap: Int, panel: Panels.Element, input: UnsafePointer<Float>,
        outputGradient: UnsafePointer<Float>, target: UnsafeMutablePointer<Float>
    ) {
        let (stride, channels) = (geometry.stride, geometry.input.channels)
        let (plane, shape) = (geometry.input, geometry.output)
        let dy = tap / geometry.kernel - geometry.padding
        let dx = tap % geometry.kernel - geometry.padding
        let ys = outputs(rows, stride: stride, offset: dy, limit: plane.height)
        let xs = outputs(0..<shape.width, stride: stride, offset: dx, limit: plane.width)
        if ys.isEmpty || xs.isEmpty { return }
        let (y, x) = (ys.lowerBound, xs.lowerBound)
        let row = image &* plane.height &+ y &* stride &+ dy
        let first = (row &* plane.width &+ x &* stride &+ dx) &* channels
        let firstOutput = ((image &* shape.height &+ y) &* shape.width &+ x) &* shape.channels
        TileProduct(
            a: input + first, rowStrideA: 1, depthStrideA: stride &* channels,
            segmentStrideA: stride &* plane.width &* channels,
            b: outputGradient + (firstOutput &+ panel.column),
            depthStrideB: shape.channels, segmentStrideB: shape.width &* shape.channels,
            segments: ys.count, depth: xs.count,
            c: target + (tap &* channels &* shape.channels &+ panel.column), rowStrideC: shape.channels,
            accumulate: true
        ).run(rows: channels, columns: panel.columns, vectors: panel.vectors)
    }
}
