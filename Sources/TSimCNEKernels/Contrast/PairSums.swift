/// The loops of a contrastive loss over one row of squared distances or similarities.
public enum PairSums {
    /// Squared distances in low dimension, from differences: `coordinates` holds dimension after
    /// dimension, each `stride` apart; columns up to the next multiple of a vector are written.
    public static func squaredDistances(
        of row: Int, count: Int, dimension: Int, coordinates: UnsafePointer<Float>, stride: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        var k = 0
        while k < count {
            var sum = Lanes.zero
            for d in 0..<dimension {
                let axis = coordinates + d &* stride
                let difference = axis.lanes(k) - Lanes(repeating: axis[row])
                sum = fma(difference, difference, sum)
            }
            target.store(sum, k)
            k &+= Lanes.scalarCount
        }
    }

    /// Squared distances of a row to `rows` from inner products: |a|² + |b|² - 2 a·b. Where that
    /// cancels, below a sixteenth of |a|² + |b|², they come from differences instead: every distance
    /// keeps a relative error of about 32 rounding errors of an inner product.
    public static func squaredDistances(
        fromProducts products: UnsafeMutablePointer<Float>, of row: UnsafePointer<Float>, norm: Float,
        rows: UnsafePointer<Float>, dimension: Int, norms: UnsafePointer<Float>, count: Int
    ) {
        var k = 0
        while k < count {
            let both = norms.lanes(k) + norm
            let value = fma(products.lanes(k), Lanes(repeating: -2), both)
            products.store(value, k)
            let cancels = value .< both * Lanes(repeating: 1 / 16)
            if any(cancels) {
                for lane in 0..<min(Lanes.scalarCount, count &- k) where cancels[lane] {
                    products[k &+ lane] = squaredDistance(
                        row, rows + (k &+ lane) &* dimension, dimension)
                }
            }
            k &+= Lanes.scalarCount
        }
    }

    /// |a - b|² from differences.
    private static func squaredDistance(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ dimension: Int
    ) -> Float {
        var sums = Lanes.zero
        var d = 0
        while d &+ Lanes.scalarCount <= dimension {
            let difference = a.lanes(d) - b.lanes(d)
            sums = fma(difference, difference, sums)
            d &+= Lanes.scalarCount
        }
        var total = horizontalSum(sums)
        while d < dimension {
            total += (a[d] - b[d]) * (a[d] - b[d])
            d &+= 1
        }
        return total
    }

    /// values = 1 / (1 + T² d²), the Cauchy similarity, in place.
    public static func cauchy(_ values: UnsafeMutablePointer<Float>, squaredTemperature: Float, count: Int) {
        var k = 0
        while k < count {
            let denominator = fma(values.lanes(k), Lanes(repeating: squaredTemperature), Lanes(repeating: 1))
            values.store(1 / denominator, k)
            k &+= Lanes.scalarCount
        }
    }

    /// values = exp((cos - 1) / T), in place. The constant factor cancels in the loss and keeps every
    /// temperature finite.
    public static func cosine(_ values: UnsafeMutablePointer<Float>, inverseTemperature: Float, count: Int) {
        var k = 0
        while k < count {
            values.store(exponential((values.lanes(k) - 1) * inverseTemperature), k)
            k &+= Lanes.scalarCount
        }
    }

    /// Σ values, in blocks of 4,096 that are added in double precision.
    public static func sum(_ values: UnsafePointer<Float>, count: Int) -> Double {
        var total = 0.0
        var first = 0
        while first < count {
            let last = min(count, first &+ 4096)
            var sums = Lanes.zero
            var k = first
            while k &+ Lanes.scalarCount <= last {
                sums += values.lanes(k)
                k &+= Lanes.scalarCount
            }
            total += Double(horizontalSum(sums))
            while k < last {
                total += Double(values[k])
                k &+= 1
            }
            first = last
        }
        return total
    }

    /// values *= (inverse + inverses), the symmetric coefficient of a pair; squared similarity for Cauchy.
    public static func weigh(
        _ values: UnsafeMutablePointer<Float>, squares: Bool, inverse: Float, inverses: UnsafePointer<Float>,
        count: Int
    ) {
        var k = 0
        while k < count {
            let q = values.lanes(k)
            let weight = inverses.lanes(k) + inverse
            values.store((squares ? q * q : q) * weight, k)
            k &+= Lanes.scalarCount
        }
    }

    /// Σ_k weights[k] · (coordinate[k] - centre).
    public static func weightedDifference(
        _ weights: UnsafePointer<Float>, _ coordinate: UnsafePointer<Float>, centre: Float, count: Int
    ) -> Float {
        var sums = Lanes.zero
        var k = 0
        while k &+ Lanes.scalarCount <= count {
            sums = fma(weights.lanes(k), coordinate.lanes(k) - centre, sums)
            k &+= Lanes.scalarCount
        }
        var total = horizontalSum(sums)
        while k < count {
            total += weights[k] * (coordinate[k] - centre)
            k &+= 1
        }
        return total
    }
}
