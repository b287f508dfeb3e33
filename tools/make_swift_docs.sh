#!/usr/bin/env bash
# The reference of the Swift package, out/docs/swift: DocC of what its comments say.
set -euo pipefail
cd "$(dirname "$0")/.."
swift package --scratch-path .build/docc dump-symbol-graph --minimum-access-level public >/dev/null
graphs=.build/docc/graphs
rm -rf "$graphs" out/docs/swift
mkdir -p "$graphs"
find .build/docc -name 'TSimCNE*.symbols.json' -not -path "$graphs/*" -exec cp {} "$graphs" \;
docc convert Sources/TSimCNE/TSimCNE.docc --additional-symbol-graph-dir "$graphs" \
    --fallback-display-name TSimCNE --fallback-bundle-identifier tsimcne-swift \
    --output-dir out/docs/swift --warnings-as-errors
