extension Augmentation {
    /// A number of an augmentation, under the name that files, Python and C have for it.
    public typealias Number = (name: String, path: WritableKeyPath<Augmentation, Double> & Sendable)

    /// All of them, in the order of `tsimcne.h`, whose table has their limits.
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
