/// Brightness, contrast, saturation and hue by random amounts in a random order.
struct ColorJitter {
    enum Operation: Int, CaseIterable { case brightness, contrast, saturation, hue }

    var order: [Operation]
    var brightness: Float
    var contrast: Float
    var saturation: Float
    /// The shift of the hue, in turns of the colour circle.
    var hue: Float

    init(order: [Operation], brightness: Float, contrast: Float, saturation: Float, hue: Float) {
        self.order = order
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.hue = hue
    }

    init(_ parameters: Augmentation, _ random: inout RandomNumbers) {
        func factor(_ v: Double) -> Float { Float(random.uniform(in: max(0, 1 - v)...1 + v)) }
        order = Operation.allCases
        for last in stride(from: 3, to: 0, by: -1) { order.swapAt(last, random.integer(below: last + 1)) }
        brightness = factor(parameters.brightness)
        contrast = factor(parameters.contrast)
        saturation = factor(parameters.saturation)
        hue = Float(random.uniform(in: -parameters.hue...parameters.hue))
    }

    /// Saturation and hue are for three channels; brightness and contrast for any number of them, which
    /// all move together.
    func apply(to planes: Planes, _ levels: Levels) {
        for operation in order {
            switch operation {
            case .brightness: planes.blend(base: 0, factor: brightness, levels)
            case .contrast: planes.blend(base: planes.mean(levels), factor: contrast, levels)
            case .saturation where planes.channels == 3: planes.saturate(factor: saturation, levels)
            case .hue where planes.channels == 3: planes.shiftHue(by: hue, levels)
            case .saturation, .hue: break
            }
        }
    }
}
