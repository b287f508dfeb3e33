import CTSimCNE
import TSimCNE

@_cdecl("tsimcne_trainer_progress")
public func tsimcne_trainer_progress(
    _ trainer: tsimcne_handle, _ progress: UnsafeMutablePointer<tsimcne_progress>?
) -> Int32 {
    status {
        let target = try required(progress, "progress")
        _ = try structure(UnsafePointer(target), "progress", \.struct_size)
        try usingTrainer(trainer, .reads) { trainer, _, _ in
            let progress = trainer.progress
            target.pointee = tsimcne_progress(
                struct_size: UInt64(MemoryLayout<tsimcne_progress>.size), stage: Int64(progress.stage),
                step: Int64(progress.step), steps: Int64(progress.steps),
                position: progress.position, stride: progress.stride,
                epochs_before: Int64(progress.epochsBefore))
        }
    }
}

@_cdecl("tsimcne_trainer_seek")
public func tsimcne_trainer_seek(
    _ trainer: tsimcne_handle, _ progress: UnsafePointer<tsimcne_progress>?
) -> Int32 {
    status {
        let wanted = try structure(progress, "progress", \.struct_size)
        try usingTrainer(trainer, .changes) { trainer, _, _ in
            try check(wanted.stage, in: 0...Int64(trainer.stages.count), "progress.stage")
            let isDone = wanted.stage == trainer.stages.count
            try check(wanted.steps, in: isDone ? 0...0 : 1...largestStepCount, "progress.steps")
            try check(wanted.step, in: 0...max(0, wanted.steps - 1), "progress.step")
            // The steps that are left end where the schedule does, but for rounding.
            let (written, rounding) = (isDone ? 1 : Double(trainer.stages[Int(wanted.stage)].steps), 1e-3)
            try check(wanted.position, in: 0...written * (1 + rounding), "progress.position")
            try check(wanted.stride, in: 0...written * (1 + rounding), "progress.stride")
            let end = wanted.position + wanted.stride * Double(wanted.steps - wanted.step)
            try check(
                end, in: (isDone ? 0 : written * (1 - rounding))...written * (1 + rounding),
                "progress.position + progress.stride * steps left")
            try check(wanted.epochs_before, in: 0...largestStepCount, "progress.epochs_before")
            var target = Trainer.Progress(steps: Int(wanted.steps))
            target.stage = Int(wanted.stage)
            target.step = Int(wanted.step)
            target.position = wanted.position
            target.stride = wanted.stride
            target.epochsBefore = Int(wanted.epochs_before)
            trainer.seek(target)
        }
    }
}

@_cdecl("tsimcne_trainer_stretch")
public func tsimcne_trainer_stretch(_ trainer: tsimcne_handle, _ remaining: Int64) -> Int32 {
    status {
        try check(remaining, in: 1...largestStepCount / 2, "remaining")
        try usingTrainer(trainer, .changes) { trainer, _, _ in trainer.stretch(remaining: Int(remaining)) }
    }
}

@_cdecl("tsimcne_trainer_exchange_averages")
public func tsimcne_trainer_exchange_averages(_ trainer: tsimcne_handle) -> Int32 {
    status { try usingTrainer(trainer, .changes) { trainer, _, _ in trainer.exchangeAverages() } }
}
