import Glibc

/// A random part of the image, resized to the image's size.
struct RandomResizedCrop {
    let area: ClosedRange<Double>
    let ratio: ClosedRange<Double>

    /// Up to ten tries at a crop that fits, at a position uniform over all; then the largest centred
    /// one within the ratio's bounds. Area 1 alone is no crop, whatever the ratio.
    func draw(height: Int, width: Int, _ random: inout RandomNumbers) -> Crop {
        if area.lowerBound == 1 { return Crop(top: 0, left: 0, height: height, width: width) }
        let total = Double(height * width)
        let logarithms = log(ratio.lowerBound)...log(ratio.upperBound)
        for _ in 0..<10 {
            let target = total * random.uniform(in: area)
            let aspect = exp(random.uniform(in: logarithms))
            let w = Int((target * aspect).squareRoot().rounded(.toNearestOrEven))
            let h = Int((target / aspect).squareRoot().rounded(.toNearestOrEven))
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

    /// Floats of scratch that ``Crop/resize(_:height:width:channels:levels:into:between:scratch:)`` wants.
    static func scratchCount(height: Int, width: Int) -> Int {
        let longest = max(height, width)
        return longest + 3
    }
}

struct Crop: Equatable, Sendable {
    let top: Int
    let left: Int
    let height: Int
    let width: Int

    /// Bilinear with antialiasing, along rows and then along columns, as Pillow does.
    func resize(
        _ source: UnsafePointer<Float>, height fullHeight: Int, width fullWidth: Int, channels: Int,
        levels: Levels, into output: UnsafeMutablePointer<Float>, between: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let line = fullWidth &* channels
        let origin = source + (top &* line &+ left &* channels)
        // Rows: (height, crop width) to (height, full width).
        for x in 0..<fullWidth {
            let first = Crop.weights(of: x, from: width, to: fullWidth, scratch)
            for y in 0..<height {
                let row = origin + (y &* line &+ first.start &* channels)
                for c in 0..<channels {
                    var sum: Float = 0
                    for k in 0..<first.count { sum += scratch[k] * row[k &* channels &+ c] }
                    between[(y &* fullWidth &+ x) &* channels &+ c] = levels.round(sum)
                }
            }
        }
        for y in 0..<fullHeight {
            let first = Crop.weights(of: y, from: height, to: fullHeight, scratch)
            let target = output + y &* line
            let rows = between + first.start &* line
            for i in 0..<line {
                var sum: Float = 0
                for k in 0..<first.count { sum += scratch[k] * rows[k &* line &+ i] }
                target[i] = levels.round(sum)
            }
        }
    }

    /// Weights of the triangle filter for output `index`; the filter widens when it shrinks the image.
    private static func weights(
        of index: Int, from size: Int, to full: Int, _ weights: UnsafeMutablePointer<Float>
    ) -> (start: Int, count: Int) {
        let scale = Double(size) / Double(full)
        let support = max(scale, 1)
        let centre = (Double(index) + 0.5) * scale
        let start = max(0, Int(centre - support + 0.5))
        let end = min(size, Int(centre + support + 0.5))
        var total = 0.0
        for k in start..<end {
            let weight = max(0, 1 - abs((Double(k) - centre + 0.5) / support))
            weights[k - start] = Float(weight)
            total += weight
        }
        for k in 0..<end - start { weights[k] = Float(Double(weights[k]) / total) }
        return (start, end - start)
    }
}
