import TSimCNEKernels

/// A random part of the image, to be resized to a view's size.
struct RandomResizedCrop {
    let area: ClosedRange<Double>
    let ratio: ClosedRange<Double>

    /// Makes up to ten tries at a crop that fits, at a position uniform over all; then takes the largest
    /// centred one within the ratio's bounds. Area 1 alone is no crop, whatever the ratio.
    func draw(height: Int, width: Int, _ random: inout RandomNumbers) -> Crop {
        if area.lowerBound == 1 { return Crop(top: 0, left: 0, height: height, width: width) }
        let sides = RandomSides(area: area, ratio: ratio)
        for _ in 0..<10 {
            let (w, h) = sides.draw(of: height * width, &random)
            if w > 0, h > 0, w <= width, h <= height {
                return Crop(
                    top: random.integer(below: height - h + 1), left: random.integer(below: width - w + 1),
                    height: h, width: w)
            }
        }
        let shape = Double(width) / Double(height)
        var (w, h) = (width, height)
        if shape < ratio.lowerBound {
            h = min(height, max(1, Int((Double(width) / ratio.lowerBound).rounded(.toNearestOrEven))))
        } else if shape > ratio.upperBound {
            w = min(width, max(1, Int((Double(height) * ratio.upperBound).rounded(.toNearestOrEven))))
        }
        return Crop(top: (height - h) / 2, left: (width - w) / 2, height: h, width: w)
    }
}

/// Sides of a rectangle with a random share of an area and a random ratio, log-uniform.
struct RandomSides {
    private let area: ClosedRange<Double>
    private let logarithms: ClosedRange<Double>

    init(area: ClosedRange<Double>, ratio: ClosedRange<Double>) {
        self.area = area
        logarithms = Elementary.log(ratio.lowerBound)...Elementary.log(ratio.upperBound)
    }

    /// Draws two sides, of which the first is the ratio times the second.
    func draw(of total: Int, _ random: inout RandomNumbers) -> (Int, Int) {
        let target = Double(total) * random.uniform(in: area)
        let ratio = Elementary.exp(random.uniform(in: logarithms))
        return (
            Int((target * ratio).squareRoot().rounded(.toNearestOrEven)),
            Int((target / ratio).squareRoot().rounded(.toNearestOrEven))
        )
    }
}

struct Crop: Equatable, Sendable {
    let top: Int
    let left: Int
    let height: Int
    let width: Int

    /// Floats of scratch that ``resize(_:at:mirrored:into:scratch:)`` wants.
    static func scratchCount(height: Int, width: Int, channels: Int) -> Int {
        (height + width) * tapCount
            + Interpolation.scratchCount(height: height, width: width, channels: channels)
    }

    private static let tapCount = MemoryLayout<Tap>.stride / MemoryLayout<Float>.stride

    /// Resizes the crop bilinearly, along rows and then along columns, as Pillow does. Antialiasing would
    /// change nothing: a crop is never made smaller (see ``ViewSize``).
    func resize(
        _ images: ImageBatch, at position: Int, mirrored: Orientation, into planes: Planes,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let line = images.width * images.channels
        let origin =
            images.address(of: position)
            + (top * line + left * images.channels) * images.element.size
        let taps = (planes.width + planes.height) * Crop.tapCount
        scratch.withMemoryRebound(to: Tap.self, capacity: planes.width + planes.height) { columns in
            let rows = columns + planes.width
            Crop.write(columns, from: width, to: planes.width, reversed: mirrored.reversesColumns)
            Crop.write(rows, from: height, to: planes.height, reversed: mirrored.reversesRows)
            planes.interpolate(
                ImagePart(origin: origin, stride: line, height: height, width: width), columns: columns,
                rows: rows, levels: images.element.levels, scratch: scratch + taps)
        }
    }

    /// Taps of the triangle filter, which is two pixels wide: the second weighs nothing at the ends.
    static func write(_ taps: UnsafeMutablePointer<Tap>, from size: Int, to full: Int, reversed: Bool) {
        let scale = Double(size) / Double(full)
        for index in 0..<full {
            let centre = (Double(index) + 0.5) * scale
            let first = max(0, Int(centre - 1 + 0.5))
            let second = min(first + 1, size - 1)
            let near = max(0, 1 - abs(Double(first) - centre + 0.5))
            let far = second == first ? 0 : max(0, 1 - abs(Double(second) - centre + 0.5))
            let total = near + far
            // Weights are rounded before they are made to sum to one.
            taps[reversed ? full - 1 - index : index] = Tap(
                first: first, second: second, firstWeight: Float(Double(Float(near)) / total),
                secondWeight: Float(Double(Float(far)) / total))
        }
    }
}
