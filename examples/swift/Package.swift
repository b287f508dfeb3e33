// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "Map",
    dependencies: [.package(name: "tsimcne-swift", path: "../..")],
    targets: [
        .executableTarget(name: "Map", dependencies: [.product(name: "TSimCNE", package: "tsimcne-swift")])
    ]
)
