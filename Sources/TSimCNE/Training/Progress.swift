extension Trainer {
    /// Where training stands between two steps: with the model's arrays, the optimiser's and the averages,
    /// all that decides how it goes on.
    public struct Progress: Equatable, Sendable {
        /// The stage's number, from 0; the number of stages when all are done.
        public var stage = 0
        /// Steps of this stage that are done, and that it will have had.
        public var step = 0
        public var steps: Int
        /// Where the schedule is, in steps of the stage as it was written, and how far a step takes it: not 1
        /// where the stage was stretched or shortened.
        public var position = 0.0
        public var stride = 1.0
        /// Epochs that earlier stages began: random numbers count on.
        public var epochsBefore = 0

        public init(steps: Int) { self.steps = steps }

        /// The epoch of the stage as it was written.
        func writtenEpoch(_ stepsPerEpoch: Int) -> Int { Int(position / Double(stepsPerEpoch)) }
    }

    /// Ends the current stage after `remaining` more steps; its schedule is stretched or shortened from where
    /// it is.
    public func stretch(remaining: Int) {
        guard progress.stage < stages.count else { return }
        let written = Double(stages[progress.stage].steps)
        progress.steps = progress.step + remaining
        // Rounding may have taken the position past the end.
        progress.stride = max(0, written - progress.position) / Double(remaining)
    }

    /// Goes on from where another run stood. The arrays are the caller's to restore afterwards: there are the
    /// same as there, of the same shapes.
    public func seek(_ target: Progress) {
        abandon()
        search = nil
        (neighbors, features) = (nil, nil)
        progress = target
        let reached = min(target.stage, stages.count - 1)
        let began = target.stage == stages.count || target.step > 0
        // A stage that has not begun starts from the outputs of the one before.
        let last = began ? reached : reached - 1
        let outputs = last >= 0 ? outputs(of: last, at: target) : outputsBefore
        if model.outputs != outputs { model.resetOutput(outputs: outputs, deviation: 0, seed: seed) }
        if target.step > 0 {
            let search = makeSearch()
            if let search { take(search) }
            makeOrder()
            beginSteps()
            // Neighbours are the caller's to restore; features are found anew, as the backbone has not moved.
            self.search = features == nil ? nil : search
            phase = features == nil ? .beginStep : .searching
        } else {
            if last >= 0 {
                resetOptimizer(of: stages[last])
                resetAverages()
            }
            phase = target.stage == stages.count ? .done : .beginStage
        }
    }

    private func outputs(of stage: Int, at target: Progress) -> Int {
        stage == target.stage
            ? stages[stage].outputs(inEpoch: target.writtenEpoch(stepsPerEpoch)) : stages[stage].outputs
    }
}
