/// What draws a point of the plane: Σ_j p w (y_j - y_i) over its neighbours j, where w = 1 / (1 + d²).
///
/// - Parameters:
///   - point: the point i, of `points` (count × 2).
///   - neighbors: the numbers j.
///   - weights: the weight p of each of them.
public func attraction(
    of point: Int, among points: UnsafePointer<Float>, neighbors: UnsafeBufferPointer<Int32>,
    weights: UnsafePointer<Float>
) -> (x: Float, y: Float) {
    let (x, y) = (points[2 &* point], points[2 &* point &+ 1])
    var (sumX, sumY): (Float, Float) = (0, 0)
    for k in 0..<neighbors.count {
        let neighbor = Int(neighbors[k])
        let (dx, dy) = (points[2 &* neighbor] - x, points[2 &* neighbor &+ 1] - y)
        let pull = weights[k] / (1 + dx * dx + dy * dy)
        sumX += pull * dx
        sumY += pull * dy
    }
    return (sumX, sumY)
}
