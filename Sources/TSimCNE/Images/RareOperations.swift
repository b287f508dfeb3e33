import TSimCNEKernels

/// Operations that no preset has. Each draws its random numbers only where it is wanted, so that the views of
/// those without it stay as they are.
extension Augmentation {
    func rotate(
        _ planes: Planes, _ levels: Levels, _ scratch: UnsafeMutablePointer<Float>,
        _ random: inout RandomNumbers
    ) {
        guard rotation > 0 else { return }
        let turns = random.uniform(in: -rotation...rotation) / 360
        planes.rotate(
            cosine: Float(Elementary.cosine(turns: turns)),
            sine: Float(Elementary.cosine(turns: turns - 0.25)),
            levels, scratch: scratch)
    }

    func scaleChannels(_ planes: Planes, _ levels: Levels, _ random: inout RandomNumbers) {
        guard channelGain > 0 || channelOffset > 0 else { return }
        var (gains, offsets): ([Float], [Float]) = ([], [])
        for _ in 0..<planes.channels {
            gains.append(Float(random.uniform(in: max(0, 1 - channelGain)...1 + channelGain)))
            offsets.append(Float(random.uniform(in: -channelOffset...channelOffset)))
        }
        planes.scale(gains, offsets: offsets, levels)
    }

    /// - Parameter scale: pixels of the planes for one of the view.
    func blur(
        _ planes: Planes, _ levels: Levels, _ scratch: UnsafeMutablePointer<Float>, scale: Int,
        _ random: inout RandomNumbers
    ) {
        guard blur > 0, random.uniform() < blur else { return }
        let deviation = Double(scale) * random.uniform(in: blurDeviationMin...blurDeviationMax)
        planes.blur(weights: Augmentation.gaussian(deviation), levels, scratch: scratch)
    }

    /// The weights of a pixel, of its neighbours and so on, to three standard deviations; both sides together
    /// weigh one.
    static func gaussian(_ deviation: Double) -> [Float] {
        let radius = min(Planes.largestBlurRadius, max(1, Int((3 * deviation).rounded(.up))))
        let weights = (0...radius).map { k in
            Elementary.exp(-0.5 * (Double(k) / deviation) * (Double(k) / deviation))
        }
        let total = weights[0] + 2 * weights.dropFirst().reduce(0, +)
        return weights.map { Float($0 / total) }
    }

    /// Makes up to ten tries at a rectangle that fits, as torchvision does.
    func erase(_ planes: Planes, _ random: inout RandomNumbers) {
        guard erasing > 0, random.uniform() < erasing else { return }
        let sides = RandomSides(area: Augmentation.erasedArea, ratio: Augmentation.erasedRatio)
        for _ in 0..<10 {
            let (height, width) = sides.draw(of: planes.pixels, &random)
            guard height > 0, width > 0, height < planes.height, width < planes.width else { continue }
            let top = random.integer(below: planes.height - height + 1)
            let left = random.integer(below: planes.width - width + 1)
            return planes.erase(top: top, left: left, height: height, width: width)
        }
    }
}
