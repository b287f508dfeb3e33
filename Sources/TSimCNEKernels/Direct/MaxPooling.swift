/// The largest value of each square, by channel; padded as if with nothing.
extension ChannelWindows {
    /// Writes an image's outputs, and the number of the pixel in its square that each is of; of equal ones the first.
    public func largest(
        _ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>,
        places: UnsafeMutablePointer<Float>
    ) {
        forEachSquare { rows, columns, target in
            forEachVector(of: 0..<channels) { channel, lanes in
                var largest = Lanes(repeating: -.infinity)
                var place = Lanes(repeating: Float(number(rows.lowerBound, columns.lowerBound)))
                for i in rows {
                    for j in columns {
                        let value = input.lanes(pixel(target, i, j) &+ channel)
                        let here = Lanes(repeating: Float(number(i, j)))
                        // NaN stays NaN.
                        let (isLarger, isNaN) = (value .> largest, value .!= value)
                        place.replace(with: here, where: isLarger)
                        place.replace(with: here, where: isNaN)
                        largest.replace(with: value, where: isLarger)
                        largest.replace(with: value, where: isNaN)
                    }
                }
                let offset = (target.row &* outputWidth &+ target.column) &* channels &+ channel
                (output + offset).storeFirst(lanes, largest)
                (places + offset).storeFirst(lanes, place)
            }
        }
    }

    /// Writes the gradient with respect to an image.
    public func largestGradient(
        _ gradient: UnsafePointer<Float>, places: UnsafePointer<Float>,
        into result: UnsafeMutablePointer<Float>
    ) {
        result.update(repeating: 0, count: height * width * channels)
        forEachSquare { rows, columns, target in
            forEachVector(of: 0..<channels) { channel, lanes in
                let offset = (target.row &* outputWidth &+ target.column) &* channels &+ channel
                let (slope, place) = (gradient.lanes(offset), places.lanes(offset))
                for i in rows {
                    for j in columns {
                        let sum = result + (pixel(target, i, j) &+ channel)
                        let here = Lanes.zero.replacing(with: slope, where: place .== Float(number(i, j)))
                        sum.storeFirst(lanes, sum.lanes(0) + here)
                    }
                }
            }
        }
    }

    @inline(__always)
    private func number(_ i: Int, _ j: Int) -> Int { i &* kernel &+ j }

    /// Where a pixel of an output's square begins.
    @inline(__always)
    private func pixel(_ target: (row: Int, column: Int), _ i: Int, _ j: Int) -> Int {
        let row = target.row &* stride &- kernel / 2 &+ i
        let column = target.column &* stride &- kernel / 2 &+ j
        return (row &* width &+ column) &* channels
    }

    /// The rows and columns of each output's square that lie in the plane.
    @inline(__always)
    private func forEachSquare(
        _ body: (_ rows: Range<Int>, _ columns: Range<Int>, _ target: (row: Int, column: Int)) -> Void
    ) {
        for row in 0..<outputHeight {
            let rows = taps(row, height).taps
            for column in 0..<outputWidth { body(rows, taps(column, width).taps, (row, column)) }
        }
    }
}
