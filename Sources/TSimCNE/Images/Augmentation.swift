/// Parameters of a random view, in the order in which they are applied (Böhm et al. 2023, section 4;
/// operations as torchvision's).
public struct Augmentation: Equatable, Sendable {
    /// Least and largest share of the image's area that is cropped.
    public var cropAreaMin = 0.2
    public var cropAreaMax = 1.0
    /// Least and largest width / height of the crop, log-uniform.
    public var cropRatioMin = 0.75
    public var cropRatioMax = 4.0 / 3
    /// Probabilities of a flip.
    public var horizontalFlip = 0.5
    public var verticalFlip = 0.0
    /// Probability of a turn by a random multiple of 90° (180° for images that are not square).
    public var quarterTurns = 0.0
    /// Largest angle of a turn to either side, in degrees.
    public var rotation = 0.0
    /// Probability of the four operations below, in random order; saturation, hue and greyscale need 3
    /// channels.
    public var colorJitter = 0.8
    /// A factor is uniform in [max(0, 1 - v), 1 + v].
    public var brightness = 0.4
    public var contrast = 0.4
    public var saturation = 0.4
    /// The shift is uniform in [-v, v], in turns of the colour circle.
    public var hue = 0.1
    public var grayscale = 0.2
    /// A factor in [max(0, 1 - v), 1 + v] and a shift in [-v, v] of the range, drawn for every channel by
    /// itself; they suit channels that are measurements of different things.
    public var channelGain = 0.0
    public var channelOffset = 0.0
    /// Probability of a Gaussian blur; its standard deviation in pixels is uniform between the two others.
    public var blur = 0.0
    public var blurDeviationMin = 0.1
    public var blurDeviationMax = 2.0
    /// Probability that values of the upper half of the range become their negatives.
    public var solarize = 0.0
    /// Probability that a rectangle is blackened, of a share of the area and a height / width as torchvision's.
    public var erasing = 0.0
    public static let erasedArea = 0.02...0.33
    public static let erasedRatio = 0.3...3.3

    public init() {}

    /// Floats of scratch for one view.
    public static func scratchCount(height: Int, width: Int, channels: Int) -> Int {
        Planes.count(height: height, width: width, channels: channels)
            + max(
                Crop.scratchCount(height: height, width: width, channels: channels),
                Planes.blurScratchCount(height: height, width: width))
    }

    /// Writes one view of image `position` of `images` in [0, 1].
    ///
    /// The random numbers are those of (seed, epoch, imageIndex, view). uint8 images go through 8-bit
    /// levels after each operation, as torchvision's do; float32 images are only clipped.
    ///
    /// - Parameters:
    ///   - images: the images of which one is taken.
    ///   - position: the image's place among `images`.
    ///   - imageIndex: the image's number among all, for the random numbers.
    ///   - seed: the training's seed.
    ///   - epoch: the training's epoch.
    ///   - view: the view's number among those of the image.
    ///   - size: the view's size; nil for the image's.
    ///   - output: memory for (height, width, channels) values.
    ///   - scratch: memory for ``scratchCount(height:width:channels:)`` floats.
    public func makeView(
        of images: ImageBatch, at position: Int, imageIndex: Int, seed: UInt64, epoch: UInt64, view: UInt32,
        size: ViewSize? = nil, into output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        var random = RandomNumbers(
            seed: seed, purpose: .view, epoch: epoch, index: UInt64(imageIndex), view: view)
        let levels = images.element.levels
        let crop = RandomResizedCrop(area: cropAreaMin...cropAreaMax, ratio: cropRatioMin...cropRatioMax)
            .draw(height: images.height, width: images.width, &random)
        let factor = size?.factor ?? 1
        let height = (size?.height ?? images.height) * factor
        let width = (size?.width ?? images.width) * factor
        let orientation = Orientation(self, isSquare: height == width, &random)
        let planes = Planes(scratch, height: height, width: width, channels: images.channels)
        let scratch = scratch + Planes.count(height: height, width: width, channels: images.channels)
        crop.resize(images, at: position, mirrored: orientation, into: planes, scratch: scratch)
        if orientation.isTransposed { planes.transpose() }
        rotate(planes, levels, scratch, &random)
        if random.uniform() < colorJitter { ColorJitter(self, &random).apply(to: planes, levels) }
        if images.channels == 3, random.uniform() < grayscale { planes.makeGray(levels) }
        scaleChannels(planes, levels, &random)
        blur(planes, levels, scratch, scale: factor, &random)
        if solarize > 0, random.uniform() < solarize { planes.solarize(levels) }
        erase(planes, &random)
        planes.interleave(into: output, levels, averaging: factor)
    }
}

extension Augmentation {
    /// A number of an augmentation, under the name that files, Python and C have for it.
    public typealias Number = (name: String, path: WritableKeyPath<Augmentation, Double> & Sendable)

    /// All numbers, in the order of `tsimcne.h`, whose table has their limits.
    public static let numbers: [Number] = [
        ("crop_area_min", \.cropAreaMin),
        ("crop_area_max", \.cropAreaMax),
        ("crop_ratio_min", \.cropRatioMin),
        ("crop_ratio_max", \.cropRatioMax),
        ("horizontal_flip", \.horizontalFlip),
        ("vertical_flip", \.verticalFlip),
        ("quarter_turns", \.quarterTurns),
        ("color_jitter", \.colorJitter),
        ("brightness", \.brightness),
        ("contrast", \.contrast),
        ("saturation", \.saturation),
        ("hue", \.hue),
        ("grayscale", \.grayscale),
        ("rotation", \.rotation),
        ("channel_gain", \.channelGain),
        ("channel_offset", \.channelOffset),
        ("blur", \.blur),
        ("blur_deviation_min", \.blurDeviationMin),
        ("blur_deviation_max", \.blurDeviationMax),
        ("solarize", \.solarize),
        ("erasing", \.erasing),
    ]
}
