#!/usr/bin/env bash
# The reference of the Swift package, out/docs/swift: DocC of what its comments say.
set -euo pipefail
cd "$(dirname "$0")/.."
graphs=$PWD/.build/docc/graphs
rm -rf .build/docc out/docs/swift
mkdir -p "$graphs" out/docs
# While it compiles, a module writes what it offers; -symbol-graph-minimum-access-level is public already.
swift build --target TSimCNE --scratch-path .build/docc \
    -Xswiftc -emit-symbol-graph -Xswiftc -emit-symbol-graph-dir -Xswiftc "$graphs" >/dev/null
# Of the modules below it, only what they add to its types.
find "$graphs" -name '*.symbols.json' ! -name 'TSimCNE.symbols.json' ! -name 'TSimCNE@*' -delete
docc convert Sources/TSimCNE/TSimCNE.docc --additional-symbol-graph-dir "$graphs" \
    --fallback-display-name TSimCNE --fallback-bundle-identifier tsimcne-swift \
    --output-dir out/docs/swift --warnings-as-errors
