/// The nearest neighbours of every image in the features: pairs of images that count as positive.
///
/// With views of one image the map learns what augmentation leaves the same; with neighbours it keeps the
/// neighbourhoods of the features, as a parametric t-SNE of them would (Damrich et al., ICLR 2023; in a
/// representation, Dwibedi et al., ICCV 2021).
final class Neighbors {
    /// Positions of the neighbours in the data set (images × count); -1 before they are known.
    let table: UnsafeMutablePointer<Int32>
    let images: Int
    let count: Int

    init(images: Int, count: Int) {
        self.images = images
        self.count = min(count, images - 1)
        table = .allocate(capacity: images * self.count)
        table.initialize(repeating: -1, count: images * self.count)
    }

    /// Whether somebody has written the table.
    var areKnown: Bool { table[0] >= 0 }

    deinit { table.deallocate() }

    /// One of an image's neighbours, for a view.
    func pick(of image: Int, view: Int, seed: UInt64, epoch: UInt64) -> Int {
        var random = RandomNumbers(
            seed: seed, purpose: .neighbor, epoch: epoch, index: UInt64(image), view: UInt32(view))
        let neighbor = Int(table[image * count + random.integer(below: count)])
        // A caller may have written anything into the table.
        return (0..<images).contains(neighbor) ? neighbor : image
    }

    static func bytes(images: Int, count: Int) -> Int { images * count * MemoryLayout<Int32>.stride }
}
