/// Where the views of an image come from; without an augmentation they are the image itself.
public enum ImageSource: @unchecked Sendable {
    /// The whole data set in memory, read in place and augmented.
    case images(ImageBatch, Augmentation?)
    /// Each batch's images are supplied, then augmented.
    case supplied(count: Int, height: Int, width: Int, channels: Int, ImageBatch.Element, Augmentation?)
    /// Each batch's views are supplied, first views first; where neighbours are searched, the images themselves as
    /// first views.
    case views(count: Int, height: Int, width: Int, channels: Int)

    public var count: Int {
        switch self {
        case .images(let images, _): return images.count
        case .supplied(let count, _, _, _, _, _): return count
        case .views(let count, _, _, _): return count
        }
    }

    public var isAugmented: Bool {
        switch self {
        case .images(_, let augmentation): return augmentation != nil
        case .supplied(_, _, _, _, _, let augmentation): return augmentation != nil
        case .views: return false
        }
    }

    public var imageSize: (height: Int, width: Int) { (shape.height, shape.width) }

    /// Shape of one image.
    var shape: Shape {
        switch self {
        case .images(let images, _): return Shape(1, images.height, images.width, images.channels)
        case .supplied(_, let height, let width, let channels, _, _): return Shape(1, height, width, channels)
        case .views(_, let height, let width, let channels): return Shape(1, height, width, channels)
        }
    }

    /// Bytes that the caller supplies for an image of so many views; 0 where the data set is in memory.
    public func suppliedBytesPerImage(views: Int) -> Int {
        switch self {
        case .images: return 0
        case .supplied(_, _, _, _, let element, _): return shape.count * element.size
        case .views: return views * shape.count * 4
        }
    }

    var isSupplied: Bool {
        if case .images = self { return false }
        return true
    }

    /// An image of the batch: among which it is, where, and what augments it; nil where views are supplied.
    private func image(
        at place: Int, of batch: Batch
    ) -> (images: ImageBatch, index: Int, augmentation: Augmentation?)? {
        switch self {
        case .images(let images, let augmentation):
            return (images, Int(batch.indices[place]), augmentation)
        case .supplied(_, let height, let width, let channels, let element, let augmentation):
            let images = ImageBatch(
                data: UnsafeRawPointer(batch.supplied!.pointer), count: batch.indexCount, height: height,
                width: width, channels: channels, element: element)
            return (images, place, augmentation)
        case .views: return nil
        }
    }

    /// Writes the batch's image `i` as it is.
    func copyImage(_ i: Int, of batch: Batch, into target: UnsafeMutablePointer<Float>) {
        guard let image = image(at: i, of: batch) else {
            return target.update(from: batch.supplied!.pointer + i * shape.count, count: shape.count)
        }
        image.images.copy(image.index, into: target)
    }

    /// Shape of one view.
    func viewShape(_ size: ViewSize?) -> Shape {
        guard let size else { return shape }
        return Shape(1, size.height, size.width, shape.channels)
    }

    func scratchCount(_ size: ViewSize?) -> Int {
        guard let size else {
            return Augmentation.scratchCount(
                height: shape.height, width: shape.width, channels: shape.channels)
        }
        return size.scratchCount(channels: shape.channels)
    }

    /// Writes view 0, 1, … of the batch's image `i`.
    func makeView(
        _ view: Int, of i: Int, _ batch: Batch, seed: UInt64, _ options: Stage.Views,
        into target: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        guard let image = image(at: batch.place(ofView: view, i), of: batch) else {
            let source = batch.supplied!.pointer + (view * batch.count + i) * shape.count
            return target.update(from: source, count: shape.count)
        }
        guard let augmentation = options.augmentation ?? image.augmentation else {
            return image.images.copy(image.index, into: target)
        }
        // Random numbers are the image's own, also for a view of its partner.
        augmentation.makeView(
            of: image.images, at: image.index, imageIndex: Int(batch.indices[i]), seed: seed,
            epoch: batch.epoch, view: UInt32(view), size: options.size, into: target, scratch: scratch)
    }
}
