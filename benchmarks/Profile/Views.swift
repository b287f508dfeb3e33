import TSimCNE

/// Random views of uint8 images, as `natural` makes them.
struct Views {
    var size = 32
    var channels = 3
    var threads = 1
    var images = 4096
    var runs = 7

    /// Views a second in the fastest run.
    func measure() -> Double {
        let one = size * size * channels
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: images * one)
        defer { bytes.deallocate() }
        var random = RandomNumbers(seed: 1, purpose: .weights)
        for i in 0..<images * one { bytes[i] = UInt8(truncatingIfNeeded: random.next()) }
        let batch = ImageBatch(
            data: UnsafeRawPointer(bytes), count: images, height: size, width: size, channels: channels,
            element: .uint8)
        let views = AlignedBuffer(count: images * one)
        let program = Program()
        program.add(
            "views", slices: images,
            scratch: Augmentation.scratchCount(height: size, width: size, channels: channels)
        ) { i, scratch in
            Augmentation.natural.makeView(
                of: batch, at: i, imageIndex: i, seed: 1, epoch: 0, view: 0, into: views.pointer + i * one,
                scratch: scratch)
        }
        let pool = ThreadPool(threads: threads)
        program.run(on: pool)
        let times = (0..<runs).map { _ in
            let started = ThreadPool.now()
            program.run(on: pool)
            return ThreadPool.now() - started
        }
        return Double(images) / Double(times.min()!) * 1e9
    }

    func report() {
        let rate = measure()
        print(
            "\(images) views of \(size)×\(size)×\(channels), \(threads) threads, \(instructionSetLevel): "
                + "\(rounded(rate)) views/s, \(rounded(1e6 / rate)) µs each")
    }
}
