import CLibrary

/// Small files in which the system says something.
struct SystemFiles: Sendable {
    /// A folder in which they are looked for; "" for the system's own.
    let root: String

    /// The file's lines; none where there is no such file.
    func lines(_ path: String) -> [Substring] { parts(Substring(text(path)), at: "\n") }

    /// The words of the first line.
    func words(_ path: String) -> [Substring] { lines(path).first.map { parts($0, at: " ") } ?? [] }

    private func text(_ path: String) -> String {
        guard let file = fopen(root + path, "re") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&block, 1, block.count, file), count > 0 { bytes += block[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What lies between separators, without what is empty. Bytes are compared and not characters, which takes long.
func parts(_ text: Substring, at separator: Unicode.Scalar, most: Int = .max) -> [Substring] {
    text.utf8.split(separator: UInt8(ascii: separator), maxSplits: most - 1).map { Substring($0) }
}
