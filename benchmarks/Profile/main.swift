import TSimCNE

let usage = """
    Profile machine                                  the machine's peaks, as JSON
    Profile step [--width 16] [--depth 18] [--size 32] [--channels 3] [--batch 128] [--views 2] [--threads n]
                 [--steps 5] [--stored 32] [--multiplied 32]
                                                     where a training step's time goes
    Profile scaling [as step]                        what a step would take on up to 64 threads, and what keeps it
    Profile passes [--inputs 64] [--outputs 64] [--size 32] [--images 256] [--kernel 3] [--stride 1] [--threads n]
                                                     one convolution's three passes
    Profile loss [--views 8192] [--dimension 128] [--threads n]
                                                     the loss and its gradient
    Profile views [--size 32] [--channels 3] [--threads 1] [--images 4096] [--runs 7]
                                                     random views a second
    """

/// `settings` with what the command line says.
func parsed<Settings>(_ settings: Settings, _ names: [String: WritableKeyPath<Settings, Int>]) -> Settings {
    var settings = settings
    var rest = CommandLine.arguments.dropFirst(2)
    while let name = rest.popFirst() {
        guard let path = names[name], let value = rest.popFirst().flatMap({ Int($0) }), value > 0 else {
            fatalError("\(name): want one of \(names.keys.sorted()) and a positive number")
        }
        settings[keyPath: path] = value
    }
    return settings
}

switch CommandLine.arguments.dropFirst().first {
case "machine":
    print(Machine.measure(threads: usableCores()).json)
case "step":
    parsed(
        Step(),
        [
            "--width": \.width, "--depth": \.depth, "--size": \.size, "--channels": \.channels,
            "--batch": \.batch, "--views": \.views, "--threads": \.threads, "--steps": \.steps,
            "--stored": \.stored, "--multiplied": \.multiplied,
        ]
    ).report()
case "scaling":
    parsed(
        Scaling(),
        [
            "--width": \.step.width, "--depth": \.step.depth, "--size": \.step.size,
            "--channels": \.step.channels, "--batch": \.step.batch, "--views": \.step.views,
            "--threads": \.step.threads,
            "--steps": \.step.steps,
        ]
    ).report()
case "passes":
    parsed(
        Passes(),
        [
            "--inputs": \.inputs, "--outputs": \.outputs, "--size": \.size, "--images": \.images,
            "--kernel": \.kernel, "--stride": \.stride, "--threads": \.threads,
        ]
    ).report()
case "loss":
    parsed(Loss(), ["--views": \.views, "--dimension": \.dimension, "--threads": \.threads]).report()
case "views":
    parsed(
        Views(),
        [
            "--size": \.size, "--channels": \.channels, "--threads": \.threads, "--images": \.images,
            "--runs": \.runs,
        ]
    ).report()
default:
    print(usage)
}
