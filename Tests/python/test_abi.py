"""The C interface: one description, the same in Swift, in the library and for a C program."""

import re
import subprocess
from pathlib import Path

import pytest
import tsimcne_swift
from helpers import cases
from tsimcne_swift import _core

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = Path(tsimcne_swift.__file__).parent / "lib" / "libtsimcne.so"
TYPES = {
    "int32_t": "Int32",
    "int64_t": "Int64",
    "uint32_t": "UInt32",
    "uint64_t": "UInt64",
    "float": "Float",
    "double": "Double",
    "char": "CChar",
}


def swift_type(c):
    """What Swift calls a C type."""
    name = c.replace("const", "").replace("*", "").split()[0]
    inner = TYPES.get(name, name)
    if "*" not in c:
        return inner
    const = "const" in c
    if name == "void":
        return "UnsafeRawPointer?" if const else "UnsafeMutableRawPointer?"
    return f"Unsafe{'' if const else 'Mutable'}Pointer<{inner}>?"


def header_functions():
    text = (ROOT / "Sources/CTSimCNE/include/tsimcne.h").read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    found = {}
    for result, name, arguments in re.findall(r"^([\w *]+?)(tsimcne_\w+)\(([^)]*)\);", text, re.M):
        parts = [] if arguments.strip() == "void" else arguments.split(",")
        # The type is what stands before the argument's name.
        types = [swift_type(re.sub(r"\w+$", "", part.strip())) for part in parts]
        found[name] = (types, swift_type(result).rstrip("?"))
    return found


def swift_functions():
    found = {}
    for path in (ROOT / "Sources/TSimCNEABI").glob("*.swift"):
        pattern = r'@_cdecl\("(\w+)"\)\s*public func (\w+)\((.*?)\) -> ([\w<>]+)'
        for name, function, arguments, result in re.findall(pattern, path.read_text(), re.S):
            assert name == function
            parts = [part for part in arguments.split(",") if part.strip()]
            found[name] = ([part.split(":", 1)[1].strip() for part in parts], result)
    return found


def test_swift_declares_what_the_header_says():
    assert len(header_functions()) >= 17
    assert swift_functions() == header_functions()


def test_library_exports_these_names_only():
    lines = subprocess.run(
        ["nm", "-D", "--defined-only", LIBRARY], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {line.split()[-1] for line in lines} == set(header_functions())


def run_c_program(name, folder, *arguments):
    program = folder / name
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers", "-pthread"]
    include = f"-I{ROOT / 'Sources/CTSimCNE/include'}"
    links = [f"-L{LIBRARY.parent}", "-ltsimcne", f"-Wl,-rpath,{LIBRARY.parent}", "-lm"]
    source = ROOT / f"Tests/c/{name}.c"
    subprocess.run([*command, include, source, "-o", program, *links], check=True)
    run = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{run.returncode} {run.stderr}"


def test_c_program_calls_every_function(tmp_path):
    source = (ROOT / "Tests/c/every_function.c").read_text()
    assert all(name in source for name in header_functions())
    run_c_program("every_function", tmp_path)


@pytest.mark.parametrize("case", ["loss", "augment", "trainer", "parts", "outputs", "seek"])
def test_sizes_that_no_machine_has_are_errors(case, tmp_path):
    run_c_program("largest_sizes", tmp_path, case)


def test_no_call_outlives_its_handle(tmp_path):
    run_c_program("destroy_races", tmp_path, cases(100, 2000))


@pytest.mark.parametrize("letter", "aé€😀")
def test_long_messages_end_with_a_whole_character(letter):
    model = _core.Model(channels=5, depth=0, base_width=1, hidden_dims=(), output_dim=2, seed=0)
    for shift in range(4):
        with pytest.raises(ValueError, match="no array of kind 0 is called") as raised:
            model.array(_core.ARRAY_PARAMETER, "x" * shift + letter * 600)
        message = str(raised.value)
        assert message.endswith(letter)
        assert 511 - len(letter.encode()) < len(message.encode()) <= 511
