import CTSimCNE
import TSimCNE

extension TrainingPrecision {
    /// Of a number TSIMCNE_PRECISION_…; nil where it is none.
    init?(number: Int32) {
        switch number {
        case Int32(TSIMCNE_PRECISION_SINGLE): self = .single
        case Int32(TSIMCNE_PRECISION_BFLOAT16): self = .bfloat16
        case Int32(TSIMCNE_PRECISION_BFLOAT16_STORAGE): self = .storedBFloat16
        default: return nil
        }
    }

    /// The words for what this processor can do.
    static var availableWords: [String] {
        var enumeration = tables_enumerations()!
        while String(cString: enumeration.pointee.name) != "PRECISIONS" { enumeration += 1 }
        let constants = UnsafeBufferPointer(
            start: enumeration.pointee.constants, count: Int(enumeration.pointee.count))
        return constants.filter { TrainingPrecision(number: $0.number)?.isAvailable == true }
            .map { String(cString: $0.word) }
    }
}
