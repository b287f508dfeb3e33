// swift-tools-version: 6.0
import PackageDescription

// The instruction-set level is chosen by the caller of `swift build` (see python/build_core.py):
// `-Xcc -march=x86-64-v4 -Xswiftc -DLEVEL_V4`. Without it the base level of the architecture is built.
let kernelSettings: [SwiftSetting] = [
    // Indices and lengths were validated before they reach a kernel; see docs/architecture.md.
    .unsafeFlags(["-Ounchecked", "-wmo"], .when(configuration: .release))
]

// Each module says on a page what lives in it.
let readme = ["README.md"]

let package = Package(
    name: "tsimcne-swift",
    products: [
        .library(name: "TSimCNE", targets: ["TSimCNE"]),
        .library(name: "tsimcne", type: .dynamic, targets: ["TSimCNEABI"]),
    ],
    targets: [
        .target(name: "CPlatform", exclude: readme),
        .target(name: "CTSimCNE", exclude: readme),
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])]),
        .target(
            name: "TSimCNEKernels", dependencies: ["CPlatform", "COpenBLAS"], exclude: readme,
            swiftSettings: kernelSettings),
        .target(name: "TSimCNE", dependencies: ["CPlatform", "TSimCNEKernels"], exclude: readme),
        .target(
            name: "TSimCNEABI", dependencies: ["CPlatform", "TSimCNE", "TSimCNEKernels", "CTSimCNE"],
            exclude: readme),
        .executableTarget(
            name: "Profile", dependencies: ["TSimCNE", "TSimCNEKernels"], path: "benchmarks/Profile"),
        .target(name: "Support", dependencies: ["TSimCNEKernels"], path: "Tests/Support"),
        .testTarget(name: "TSimCNEKernelsTests", dependencies: ["TSimCNEKernels", "Support"]),
        .testTarget(
            name: "TSimCNETests", dependencies: ["TSimCNE", "TSimCNEKernels", "Support"]),
    ],
    swiftLanguageModes: [.v6]
)
