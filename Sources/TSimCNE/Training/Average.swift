/// The exponential moving average of some values over the steps of a stage.
struct Average {
    let name: String
    let shape: [Int]
    let live: AlignedBuffer
    let average: AlignedBuffer

    init(_ name: String, _ shape: [Int], of live: AlignedBuffer) {
        self.name = name
        self.shape = shape
        self.live = live
        average = AlignedBuffer(count: live.count)
        average.pointer.update(from: live.pointer, count: live.count)
    }

    /// Moves the average. Early steps weigh more, so that the start is soon forgotten: decay is at most (1 +
    /// n) / (10 + n).
    func follow(decay: Double, step: Int) {
        let kept = Float(min(decay, Double(1 + step) / Double(10 + step)))
        let (x, y) = (live.pointer, average.pointer)
        for i in 0..<live.count { y[i] += (1 - kept) * (x[i] - y[i]) }
    }

    func exchange() {
        for i in 0..<live.count { swap(&live.pointer[i], &average.pointer[i]) }
    }
}

extension Trainer {
    /// Begins the averages of parameters and running statistics anew, where there are any.
    func resetAverages() {
        guard averageDecay > 0 else { return }
        averages =
            model.parameters.map { Average($0.name, $0.shape, of: $0.value) }
            + model.normalizations.flatMap { layer in
                layer.runningStatistics.map { Average($0.name, [layer.channels], of: $0.value) }
            }
    }

    /// Cuts the averages after the output layer lost outputs: the rest of them stays.
    func truncateAverages() {
        let parameters = Dictionary(uniqueKeysWithValues: model.head.output.parameters.map { ($0.name, $0) })
        averages = averages.map { old in
            guard let parameter = parameters[old.name] else { return old }
            let new = Average(old.name, parameter.shape, of: parameter.value)
            new.average.pointer.update(from: old.average.pointer, count: new.average.count)
            return new
        }
    }

    func followAverages() {
        _ = pool.run(count: averages.count) { [averages, averageDecay, progress] index, _ in
            averages[index].follow(decay: averageDecay, step: progress.step)
        }
    }

    /// Exchanges the model's values with their averages: for a map made of averages, during training (and
    /// back) or at its end.
    public func exchangeAverages() {
        for average in averages { average.exchange() }
    }
}
