import TSimCNE

/// The loss and its gradient, alone.
struct Loss {
    var views = 8192
    var dimension = 128
    var threads = usableCores()

    func report() {
        let z = AlignedBuffer(count: views * dimension)
        let gradient = AlignedBuffer(count: z.count)
        var random = RandomNumbers(seed: 1, purpose: .weights)
        for i in 0..<z.count { z.pointer[i] = Float(random.normal()) }
        let pool = ThreadPool(threads: threads)
        let best = (0..<5).map { _ in
            let started = ThreadPool.now()
            withExtendedLifetime((z, gradient)) {
                _ = InfoNCE.evaluate(
                    z.pointer, images: views / 2, dimension: dimension, Similarity(.cauchy, temperature: 1),
                    gradient: gradient.pointer, pool: pool)
            }
            return Double(ThreadPool.now() - started)
        }.min()!
        print("\(rounded(best * 1e-6)) ms  loss and gradient, \(views) × \(dimension), \(threads) threads")
    }
}
