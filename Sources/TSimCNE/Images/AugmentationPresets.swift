extension Augmentation {
    /// Views of photographs.
    public static let natural = Augmentation()

    /// Letters and digits: mirrored they would mean something else.
    public static let text: Augmentation = {
        var a = Augmentation()
        a.horizontalFlip = 0
        return a
    }()

    /// No direction is up; colour is a measurement.
    public static let microscopy: Augmentation = {
        var a = Augmentation()
        a.verticalFlip = 0.5
        a.quarterTurns = 1
        a.brightness = 0.2
        a.contrast = 0.2
        a.saturation = 0.2
        a.hue = 0.02
        a.grayscale = 0
        return a
    }()

    /// The image itself.
    public static let none: Augmentation = {
        var a = Augmentation()
        a.cropAreaMin = 1
        a.horizontalFlip = 0
        a.colorJitter = 0
        a.grayscale = 0
        return a
    }()
}
