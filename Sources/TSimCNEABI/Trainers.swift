import CTSimCNE
import TSimCNE
import TSimCNEKernels

private let trainerTable = NumberTable("trainer")

@_cdecl("tsimcne_trainer_create")
public func tsimcne_trainer_create(
    _ model: tsimcne_handle, _ images: UnsafePointer<tsimcne_images>?,
    _ config: UnsafePointer<tsimcne_trainer_config>?, _ trainer: UnsafeMutablePointer<tsimcne_handle>?
) -> Int32 {
    status {
        let target = try required(trainer, "trainer")
        let config = try structure(config, "config", \.struct_size)
        try trainerTable.check(config, "config")
        let supplied = config.source != Int32(TSIMCNE_SOURCE_IMAGES)
        let batch = try imageBatch(images, suppliedLater: supplied)
        try check(batch.count, in: 2...1 << 40, "images.count")
        try check(config.batch_size, in: 2...Int64(batch.count), "config.batch_size")
        if config.micro_batch != 0 {
            let least = (config.batch_size - 1) / Int64(TSIMCNE_MOST_PARTS) + 1
            try check(config.micro_batch, in: least...1 << 40, "config.micro_batch")
        }
        let shards = max(1, config.shard_count)
        try check(config.shard_rank, in: 0...shards - 1, "config.shard_rank")
        // A range from the shards up to the images would end the process where there are more of the former.
        try check(Int64(shards), in: 1...config.batch_size, "config.shard_count")
        let free = UInt32(TSIMCNE_STOP_AT_BATCH_NORM_SUMS | TSIMCNE_STOP_AT_FEATURES)
        guard shards == 1 || config.stop_at | free == 31 else {
            throw Failure.argument(
                "config.stop_at: got \(config.stop_at), want 14, 15, 30 or 31, as there are shards")
        }
        try check(config.average_decay, in: 0...(1.0).nextDown, "config.average_decay")
        guard let precision = TrainingPrecision(number: config.precision), precision.isAvailable else {
            throw Failure.argument(
                "config.precision: got bfloat16, which this processor does not multiply (it has no avx512_bf16, "
                    + "or the library is of a lower level); want "
                    + TrainingPrecision.availableWords.joined(separator: " or "))
        }
        let augmentation = config.augmentation == nil ? nil : try augmentation(config.augmentation)
        guard augmentation == nil || !batch.isVectors else {
            throw Failure.argument("config.augmentation: feature vectors have none, want NULL")
        }
        let source: ImageSource
        switch config.source {
        case Int32(TSIMCNE_SOURCE_IMAGES): source = .images(batch, augmentation)
        case Int32(TSIMCNE_SOURCE_SUPPLIED):
            source = .supplied(
                count: batch.count, height: batch.height, width: batch.width, channels: batch.channels,
                batch.element, augmentation)
        default:
            source = .views(
                count: batch.count, height: batch.height, width: batch.width, channels: batch.channels)
        }
        let threads = try threadCount(config.threads)
        let trainer = try usingModel(model, .reads) { model in
            try checkImages(batch, fit: model)
            let stages = try trainingStages(config, source: source, model: model)
            if stages.contains(where: { $0.neighbors > 0 }) {
                try check(batch.count, in: 2...Int(Int32.max), "images.count")
            }
            try checkMemory(
                Trainer.batchBytes(
                    source: source, batchSize: Int(config.batch_size), viewCount: Int(config.views),
                    stages: stages),
                "the images of a batch")
            let trainer = Trainer(
                model: model, stages: stages, source: source, batchSize: Int(config.batch_size),
                viewCount: Int(config.views),
                shuffle: Shuffle(
                    block: max(1, Int(config.shuffle_block)), window: max(1, Int(config.shuffle_window))),
                microBatch: config.micro_batch == 0 ? .max : Int(config.micro_batch),
                shard: Shard(rank: Int(config.shard_rank), count: Int(shards)),
                noise: FeatureNoise(deviation: config.noise, dropout: config.dropout),
                averageDecay: config.average_decay, precision: precision, seed: config.seed,
                pool: ThreadPool(threads: threads))
            try checkMemory(
                trainer.plannedBytes(),
                "a step of \(config.batch_size) images on \(threads) thread\(threads == 1 ? "" : "s")",
                addresses: BLAS.isUsed ? threads * BLAS.bufferBytes : 0)
            return trainer
        }
        let milliseconds = config.time_slice_ms == 0 ? 100 : UInt64(config.time_slice_ms)
        let options = TrainerOptions(
            model: model, stopAt: config.stop_at, timeSlice: milliseconds * 1_000_000)
        target.pointee = Registry.add(.trainer(trainer, options))
    }
}

@_cdecl("tsimcne_advance")
public func tsimcne_advance(
    _ trainer: tsimcne_handle, _ event: UnsafeMutablePointer<tsimcne_event>?
) -> Int32 {
    status {
        let target = try required(event, "event")
        _ = try structure(UnsafePointer(target), "event", \.struct_size)
        try usingTrainer(trainer, .changes) { trainer, options, _ in
            let deadline = ThreadPool.now() + options.timeSlice
            while true {
                let event = trainer.advance(until: deadline)
                guard options.stops(at: event) else { continue }
                target.pointee = tsimcne_event(event, of: trainer)
                return
            }
        }
    }
}

extension TrainerOptions {
    func stops(at event: Trainer.Event) -> Bool {
        let flag: Int
        switch event {
        case .boundary(.batchNormalizationSums): flag = TSIMCNE_STOP_AT_BATCH_NORM_SUMS
        case .boundary(.embeddings): flag = TSIMCNE_STOP_AT_EMBEDDINGS
        case .boundary(.gradient): flag = TSIMCNE_STOP_AT_GRADIENTS
        case .outputStarted: flag = TSIMCNE_STOP_AT_OUTPUT_STARTED
        case .featuresFound: flag = TSIMCNE_STOP_AT_FEATURES
        default: return true
        }
        return stopAt & UInt32(flag) != 0
    }
}

extension tsimcne_event {
    init(_ event: Trainer.Event, of trainer: Trainer) {
        self.init()
        struct_size = UInt64(MemoryLayout<tsimcne_event>.size)
        var position = trainer.position
        array = -1
        switch event {
        case .more: kind = Int32(TSIMCNE_EVENT_MORE)
        case .batchWanted:
            kind = Int32(TSIMCNE_EVENT_BATCH_WANTED)
        case .boundary(.batchNormalizationSums(let name)):
            kind = Int32(TSIMCNE_EVENT_BATCH_NORM_SUMS)
            array = Int64(trainer.arrayIndex(.sums, name) ?? -1)
        case .boundary(.embeddings): kind = Int32(TSIMCNE_EVENT_EMBEDDINGS)
        case .boundary(.gradient(let name)):
            kind = Int32(TSIMCNE_EVENT_GRADIENT)
            array = Int64(trainer.arrayIndex(.gradient, name) ?? -1)
        case .outputStarted: kind = Int32(TSIMCNE_EVENT_OUTPUT_STARTED)
        case .featuresFound: kind = Int32(TSIMCNE_EVENT_FEATURES_FOUND)
        case .neighborsFound: kind = Int32(TSIMCNE_EVENT_NEIGHBORS_FOUND)
        case .step:
            kind = Int32(TSIMCNE_EVENT_STEP)
            position = trainer.finished
        case .diverged:
            kind = Int32(TSIMCNE_EVENT_DIVERGED)
        case .finished:
            kind = Int32(TSIMCNE_EVENT_FINISHED)
            position = trainer.finished
        }
        stage = Int32(position.stage)
        epoch = Int64(position.epoch)
        step = Int64(position.step)
        steps_per_epoch = Int64(trainer.stepsPerEpoch)
        steps_left = Int64(position.left)
        loss = trainer.loss
        learning_rate = trainer.learningRate
        degrees_of_freedom = Double(trainer.degrees)
        batch_count = Int64(trainer.batchCount)
        index_count = Int64(trainer.batchIndexCount)
        indices = trainer.batchIndices
    }
}

@_cdecl("tsimcne_supply")
public func tsimcne_supply(
    _ trainer: tsimcne_handle, _ data: UnsafeRawPointer?, _ bytes: Int64
) -> Int32 {
    status {
        let data = try required(data, "data")
        try usingTrainer(trainer, .changes) { trainer, _, _ in
            guard trainer.wantsBatch else { throw Failure.state("supply: no batch is wanted now") }
            let wanted = Int64(trainer.suppliedBytes)
            guard bytes == wanted else { throw Failure.argument("bytes: got \(bytes), want \(wanted)") }
            trainer.supply(data, bytes: Int(bytes))
        }
    }
}

@_cdecl("tsimcne_abandon")
public func tsimcne_abandon(_ trainer: tsimcne_handle) -> Int32 {
    status { try usingTrainer(trainer, .changes) { trainer, _, _ in trainer.abandon() } }
}

@_cdecl("tsimcne_trainer_set_loss")
public func tsimcne_trainer_set_loss(_ trainer: tsimcne_handle, _ loss: Double) -> Int32 {
    status { try usingTrainer(trainer, .changes) { trainer, _, _ in trainer.suppliedLoss = loss } }
}

@_cdecl("tsimcne_trainer_memory")
public func tsimcne_trainer_memory(
    _ trainer: tsimcne_handle, _ bytes: UnsafeMutablePointer<Int64>?
) -> Int32 {
    status {
        let target = try required(bytes, "bytes")
        try usingTrainer(trainer, .reads) { trainer, _, _ in
            target.pointee = Int64(trainer.plannedBytes(threads: 0))
        }
    }
}

@_cdecl("tsimcne_trainer_order")
public func tsimcne_trainer_order(
    _ trainer: tsimcne_handle, _ indices: UnsafeMutablePointer<Int64>?, _ count: Int64
) -> Int32 {
    status {
        let target = try required(indices, "indices")
        try usingTrainer(trainer, .reads) { trainer, _, _ in
            guard count == Int64(trainer.order.count) else {
                throw Failure.argument("count: got \(count), want \(trainer.order.count)")
            }
            trainer.order.withUnsafeBufferPointer { target.update(from: $0.baseAddress!, count: $0.count) }
        }
    }
}

@_cdecl("tsimcne_trainer_destroy")
public func tsimcne_trainer_destroy(_ trainer: tsimcne_handle) -> Int32 {
    // The trainer's model may be gone already.
    status { try Registry.destroy(trainer) { _ = try $0.trainer(trainer) } }
}
