/// In which order an epoch goes through the images.
///
/// With blocks of one image all orders are as likely. Where images lie in a file that is read block by block, whole
/// blocks change places, and then images within every `window` blocks: a part of the file at a time is wanted.
public struct Shuffle: Sendable, Equatable {
    /// Neighbouring images that stay near each other; at least 1.
    public var block = 1
    /// Blocks among which images are mixed; at least 1.
    public var window = 1

    public init(block: Int = 1, window: Int = 1) {
        self.block = block
        self.window = window
    }

    /// Replaces `order`, of any contents, by that of an epoch.
    func fill(_ order: inout [Int64], _ random: inout RandomNumbers) {
        guard block > 1 else {
            for i in order.indices { order[i] = Int64(i) }
            return random.shuffle(&order, in: 0..<order.count)
        }
        var blocks = (0..<Int64((order.count + block - 1) / block)).map { $0 }
        random.shuffle(&blocks, in: 0..<blocks.count)
        var (place, windowStart) = (0, 0)
        for (number, first) in blocks.enumerated() {
            let images = Int(first) * block..<min(order.count, (Int(first) + 1) * block)
            for image in images {
                order[place] = Int64(image)
                place += 1
            }
            if (number + 1) % window == 0 || number == blocks.count - 1 {
                random.shuffle(&order, in: windowStart..<place)
                windowStart = place
            }
        }
    }
}
