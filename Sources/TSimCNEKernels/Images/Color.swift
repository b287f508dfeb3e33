/// Neighbouring pixels of three channels.
struct Color {
    let r: Lanes
    let g: Lanes
    let b: Lanes
}

/// What becomes of each pixel's colour. A type and no closure: kernels are compiled for each kind.
protocol ColorChange {
    func callAsFunction(_ color: Color) -> Color
}

extension Planes {
    @inline(__always) func color(_ offset: Int) -> Color {
        Color(r: self[0].lanes(offset), g: self[1].lanes(offset), b: self[2].lanes(offset))
    }

    /// Replaces all pixels of three channels.
    @inline(__always) func apply<Change: ColorChange>(_ change: Change) {
        let (r, g, b) = (self[0], self[1], self[2])
        var offset = 0
        while offset < pixels {
            let color = change(color(offset))
            r.store(color.r, offset)
            g.store(color.g, offset)
            b.store(color.b, offset)
            offset &+= Lanes.scalarCount
        }
    }
}
