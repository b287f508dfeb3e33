"""Files that are damaged, or made to harm: an error that names the file, in a second and little memory."""

import json
import os
import struct
import time
from random import Random

import pytest
from helpers import cases, forget_peak, images, memory, small
from tsimcne_swift import Stage, TSimCNE

CASES = cases(300, 25_000)
# The most that a case may take; and how often what the intact file takes, if that is more (in an emulator).
SECONDS, MEGABYTES, TIMES = 1.0, 100, 20
# The harness may wait for a core that others use: the work itself counts.
clock = time.process_time


@pytest.fixture(scope="module", params=["model", "checkpoint"])
def original(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "file"
    if request.param == "model":
        small().fit(images()).save(path)
    else:
        small(checkpoint=path).fit(images())
    return path.read_bytes()


def header(data):
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def with_header(text, body):
    text = text.encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


ODD = [
    0,
    -1,
    1,
    2**31,
    2**63,
    2**64,
    10**30,
    0.5,
    None,
    True,
    "x",
    "",
    [],
    {},
    [0],
    "BF16",
    "I64",
    "F4",
    "\0",
]


def mutated_value(random, value):
    """The value with something in it replaced."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice(list(value))
        if random.random() < 0.1:
            return {k: v for k, v in value.items() if k != name}
        return value | {name: mutated_value(random, value[name])}
    if isinstance(value, list) and value and random.random() < 0.9:
        place = random.randrange(len(value))
        return [*value[:place], mutated_value(random, value[place]), *value[place + 1 :]]
    if isinstance(value, str) and value.startswith("{") and random.random() < 0.9:
        return json.dumps(mutated_value(random, json.loads(value)))
    return random.choice(ODD)


def flipped(random, data):
    changed = bytearray(data)
    for _ in range(random.randrange(1, 9)):
        # Half of the flips are where the header is.
        end = len(data) if random.random() < 0.5 else min(len(data), 8 + struct.unpack("<Q", data[:8])[0])
        changed[random.randrange(end)] ^= 1 << random.randrange(8)
    return bytes(changed)


def cut(random, data):
    return data[: random.randrange(len(data))]


def lengthened(random, data):
    place = random.randrange(len(data))
    return data[:place] + random.randbytes(random.randrange(1, 100)) + data[place:]


def of_another_length(random, data):
    return struct.pack("<Q", random.choice([0, 1, 2**20, 2**31, 2**40, 2**63, 2**64 - 1])) + data[8:]


def of_another_header(random, data):
    names, body = header(data)
    for _ in range(random.randrange(1, 4)):
        names = mutated_value(random, names)
        if not isinstance(names, dict):
            break
    return with_header(json.dumps(names), body)


def overlapping(random, data):
    names, body = header(data)
    first, second = random.sample([name for name in names if name != "__metadata__"], 2)
    names[first]["data_offsets"] = names[second]["data_offsets"]
    return with_header(json.dumps(names), body)


def deep(random, data):
    names, body = header(data)
    nested = "[" * 100_000 + "]" * 100_000
    if random.random() < 0.5:
        return with_header('{"__metadata__": ' + nested + "}", body)
    (key,) = names["__metadata__"]
    names["__metadata__"][key] = nested
    return with_header(json.dumps(names), body)


# Each mutation, and how often it is drawn.
MUTATIONS = {
    flipped: 20,
    cut: 10,
    lengthened: 5,
    of_another_length: 5,
    of_another_header: 40,
    overlapping: 5,
    deep: 1,
}


def test_mutated_files(original, tmp_path):
    random = Random(0)
    X = images()
    path = tmp_path / "file"
    path.write_bytes(original)
    started = clock()
    wanted = TSimCNE.load(path).transform(X).shape
    most = max(SECONDS, TIMES * (clock() - started))
    forget_peak()
    before = memory("VmRSS")
    loaded = 0
    for _ in range(CASES):
        (mutate,) = random.choices(list(MUTATIONS), list(MUTATIONS.values()))
        data = mutate(random, original)
        path.write_bytes(data)
        started = clock()
        try:
            model = TSimCNE.load(path)
        except ValueError as error:
            assert str(path) in str(error) or str(error).startswith("image_shape: "), (mutate, error)
        else:
            # What still is a model is a whole one.
            assert model.transform(X).shape[0] == wanted[0]
            loaded += 1
        assert clock() - started < most, mutate
    assert memory("VmHWM") - before < MEGABYTES * 1e6
    assert 0 < loaded < CASES


# Networks, optimisers and stages whose state differs.
RICH = {
    "optimizer": "adam",
    "ema_decay": 0.9,
    "temperature_lr": 0.1,
    "total_epochs": [Stage(1, 8), Stage(2, 2, "head", neighbors=3)],
}


@pytest.mark.parametrize("options", [{}, RICH], ids=["plain", "rich"])
@pytest.mark.parametrize("moment", [(1, 1), (2, 1), None], ids=["first", "second", "end"])
def test_mutated_checkpoints_are_resumed(options, moment, tmp_path):
    """A run that goes on, or an error that names the file; whatever the file says."""
    random, X, path = Random(1), images(), tmp_path / "run.ckpt"
    options = options or {"total_epochs": [2, 2, 2]}
    interrupts = [lambda record: (record.stage, record.epoch) == moment]
    small(**options, checkpoint=path, callbacks=interrupts).fit(X)
    original = path.read_bytes()
    started = clock()
    assert small(**options, checkpoint=path).fit(X, resume=True).embedding_.shape == (40, 2)
    most = max(SECONDS + 1, TIMES * (clock() - started))
    resumed = 0
    for _ in range(cases(60, 4_000)):
        (mutate,) = random.choices(list(MUTATIONS), list(MUTATIONS.values()))
        path.write_bytes(mutate(random, original))
        started = clock()
        try:
            model = small(**options, checkpoint=path, n_jobs=1).fit(X, resume=True)
        except ValueError as error:
            assert str(path) in str(error), (mutate, error)
        except FloatingPointError as error:
            # Weights may be anything that is finite.
            assert "diverged" in str(error)
        else:
            assert model.embedding_.shape == (40, 2)
            resumed += 1
        assert clock() - started < most, mutate
    assert 0 < resumed < cases(60, 4_000)


@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "empty"])
def test_what_is_no_file(kind, tmp_path):
    path = tmp_path / "model"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path = "/dev/zero"
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"")
    with pytest.raises(ValueError, match=str(path)):
        TSimCNE.load(path)
