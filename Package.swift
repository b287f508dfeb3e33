// swift-tools-version: 6.0
import PackageDescription

// Dense algebra is the system's: Accelerate on macOS, elsewhere OpenBLAS.
#if os(macOS)
    let algebra: [Target] = []
    // Without it Accelerate has the interface of before macOS 13.3.
    let algebraSettings: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-DACCELERATE_NEW_LAPACK"])]
#else
    let algebra: [Target] = [
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])])
    ]
    let algebraSettings: [SwiftSetting] = []
#endif

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
    // The first that has atomic operations in Swift's library, and Accelerate's threads under control.
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "TSimCNE", targets: ["TSimCNE"]),
        .library(name: "tsimcne", type: .dynamic, targets: ["TSimCNEABI"]),
    ],
    targets: algebra + [
        .target(name: "CPlatform", exclude: readme),
        .target(name: "CTSimCNE", exclude: readme),
        .target(name: "CLibrary", exclude: readme),
        .target(
            name: "TSimCNEKernels",
            dependencies: ["CLibrary", "CPlatform"] + algebra.map { .byName(name: $0.name) },
            exclude: readme, swiftSettings: kernelSettings + algebraSettings),
        .target(name: "TSimCNE", dependencies: ["CPlatform", "TSimCNEKernels"], exclude: readme),
        .target(
            name: "TSimCNEABI",
            dependencies: ["CLibrary", "CPlatform", "TSimCNE", "TSimCNEKernels", "CTSimCNE"],
            exclude: readme),
        .executableTarget(
            name: "Profile", dependencies: ["CLibrary", "TSimCNE", "TSimCNEKernels"],
            path: "benchmarks/Profile"),
        .target(name: "Support", dependencies: ["CLibrary", "TSimCNEKernels"], path: "Tests/Support"),
        .testTarget(name: "TSimCNEKernelsTests", dependencies: ["CLibrary", "TSimCNEKernels", "Support"]),
        .testTarget(
            name: "TSimCNETests", dependencies: ["CLibrary", "TSimCNE", "TSimCNEKernels", "Support"]),
    ],
    swiftLanguageModes: [.v6]
)
