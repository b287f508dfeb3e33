#!/usr/bin/env bash
# The suites under sanitizers: `sanitize.sh` runs all parts, or those that are named.
#   address  Swift tests and the tests of the extension under AddressSanitizer and UndefinedBehaviorSanitizer
#   thread   Swift tests under ThreadSanitizer
#   fuzz     any sequence of C calls, for FUZZ_SECONDS (60)
#   valgrind every function of the C interface, at the v3 level
#   guard    Swift tests and the tests of the extension, every buffer and tensor between pages that may not be
#            touched; INSTRUCTION_SET=x86-64 for another level than this machine's
set -euo pipefail
cd "$(dirname "$0")/.."
level=$(python3 tools/level.py)
runtime=$(dirname "$(clang -print-file-name=libclang_rt.asan-x86_64.so)")
[ "$runtime" != . ] || runtime=$(dirname "$(find "$(dirname "$(readlink -f "$(command -v clang)")")/../lib/clang" -name 'libclang_rt.asan-x86_64.so' | head -1)")
# What Python, its modules and Swift keep until the end is no leak.
# Swift would look for a backtrace in what is broken, and may not come back.
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
undefined=(-fsanitize=undefined -fno-sanitize-recover=undefined)

swift_tests() { # SANITIZER SCRATCH [OPTION…]
    local sanitizer=$1 scratch=$2
    shift 2
    # shellcheck disable=SC2086
    swift test --no-parallel -c release --sanitize="$sanitizer" --scratch-path ".build/$scratch" \
        -Xswiftc -enable-testing $level "$@"
}

library() { # SCRATCH [OPTION…]: the shared library with AddressSanitizer
    local scratch=$1
    shift
    # shellcheck disable=SC2086
    swift build -c release --product tsimcne --sanitize=address --scratch-path ".build/$scratch" $level "$@"
}

package() { # SCRATCH COPY: the Python package beside a library that is watched
    rm -rf "$2"
    mkdir -p "$2"
    cp -r python/tsimcne_swift "$2/"
    rm -rf "$2/tsimcne_swift/lib/glibc-hwcaps"
    cp ".build/$1/release/libtsimcne.so" "$2/tsimcne_swift/lib/"
}

address() {
    swift_tests address asan
    library asan-library
    local copy=.build/asan-python
    package asan-library "$copy"
    clang -shared -fPIC -O1 -g -fsanitize=address "${undefined[@]}" -shared-libasan -DPy_LIMITED_API=0x030b0000 \
        -I Sources/CTSimCNE/include $(.venv/bin/python -c 'import sysconfig; print("-I" + sysconfig.get_path("include"))') \
        python/extension/*.c Sources/CTSimCNE/tables.c -o "$copy/tsimcne_swift/_core.abi3.so" \
        -L "$copy/tsimcne_swift/lib" -ltsimcne -Wl,-rpath,"\$ORIGIN/lib"
    PYTHONPATH="$PWD/$copy" LD_PRELOAD="$runtime/libclang_rt.asan-x86_64.so" PYTHONMALLOC=malloc \
        .venv/bin/python -m pytest -q -p no:cacheprovider Tests/python/test_estimator.py Tests/python/{checks,inputs,stages,storage} \
            Tests/python/training/test_{checkpoint,init}.py
}

thread() { swift_tests thread tsan; }

fuzz() {
    library fuzz -Xswiftc -sanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp
    clang -O1 -g -fsanitize=fuzzer,address "${undefined[@]}" -Wl,--export-dynamic -I Sources/CTSimCNE/include \
        Tests/fuzz/calls.c Sources/CTSimCNE/tables.c -o .build/fuzz/calls -L .build/fuzz/release -ltsimcne -Wl,-rpath,"$PWD/.build/fuzz/release"
    mkdir -p .build/fuzz/corpus
    .build/fuzz/calls -max_total_time="${FUZZ_SECONDS:-60}" -max_len=4096 -timeout=20 -rss_limit_mb=4096 \
        -print_final_stats=1 -artifact_prefix=.build/fuzz/ .build/fuzz/corpus
}

with_valgrind() {
    local scratch=.build/valgrind
    # shellcheck disable=SC2046
    swift build -c release --product tsimcne --scratch-path $scratch $(python3 tools/level.py x86-64-v3)
    clang -gdwarf-4 -std=c11 -I Sources/CTSimCNE/include Tests/c/every_function.c -o $scratch/calls -lm \
        -L $scratch/release -ltsimcne -Wl,-rpath,"$PWD/$scratch/release"
    # Threads take turns, or one that waits for others would wait long.
    valgrind --fair-sched=yes --error-exitcode=1 --leak-check=no $scratch/calls
}

guard() {
    local set=${INSTRUCTION_SET:-native}
    # shellcheck disable=SC2206
    local options=(-c release -Xswiftc -DGUARD_PAGES $(python3 tools/level.py ${INSTRUCTION_SET:-}))
    swift test --no-parallel --scratch-path ".build/guard-$set" -Xswiftc -enable-testing "${options[@]}"
    swift build --product tsimcne --scratch-path ".build/guard-library-$set" "${options[@]}"
    package "guard-library-$set" .build/guard-python
    PYTHONPATH="$PWD/.build/guard-python" .venv/bin/python -m pytest -q -p no:cacheprovider \
        Tests/python/{test_estimator,networks/test_layers,inputs/test_vectors,inputs/test_guard_pages}.py \
        Tests/python/{stages/test_stages,stages/test_optimizers,stages/test_neighbors,training/test_init}.py
}

for part in "${@:-address thread fuzz valgrind guard}"; do
    for name in $part; do
        echo "--- $name"
        if [ "$name" = valgrind ]; then with_valgrind; else "$name"; fi
    done
done
