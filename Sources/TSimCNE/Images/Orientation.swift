/// Mirrors and quarter turns of a view: order of rows and columns, then rows for columns.
struct Orientation: Equatable {
    var reversesColumns = false
    var reversesRows = false
    var isTransposed = false

    /// The orientation that leaves a view as it is.
    init() {}

    init(_ parameters: Augmentation, isSquare: Bool, _ random: inout RandomNumbers) {
        reversesColumns = random.uniform() < parameters.horizontalFlip
        reversesRows = random.uniform() < parameters.verticalFlip
        if random.uniform() < parameters.quarterTurns {
            turn(isSquare ? random.integer(below: 4) : 2 * random.integer(below: 2))
        }
    }

    /// Turns by `turns` times 90° counter-clockwise; odd numbers want a square image.
    mutating func turn(_ turns: Int) {
        if turns == 1 || turns == 2 { reversesColumns.toggle() }
        if turns == 2 || turns == 3 { reversesRows.toggle() }
        isTransposed = turns % 2 == 1
    }
}
