"""Backbones that are lists of layers: what a user writes, what the core is given, what arrays there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .. import _core
from .._checks.core_limits import check_real, check_whole
from .._checks.values import check_bool, check_choice, check_integer

Layers = list[tuple[str, dict[str, Any]]]

FUNCTIONS = tuple(_core.FUNCTIONS)
# What a user may write: a function is a layer of its own name, and what ends a list is not written.
KINDS = (
    *(kind for kind in _core.LAYERS if kind not in ("nonlinearity", "shortcut", "end")),
    *FUNCTIONS,
)
MOST, DEEPEST = _core.MOST_LAYERS, 16
NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")


def _whole(field: str) -> Callable[[str, Any], int]:
    return lambda name, value: check_whole(name, value, "layer", field)


def _real(field: str) -> Callable[[str, Any], float]:
    return lambda name, value: check_real(name, value, "layer", field)


def _kernel(name: str, value: Any) -> int:
    kernel = check_whole(name, value, "layer", "kernel")
    if kernel % 2 == 0:
        raise ValueError(f"{name}: got {value!r}, want an odd number")
    return kernel


def _function(name: str, value: Any) -> str:
    return check_choice(name, value, FUNCTIONS)


@dataclass(frozen=True)
class Option:
    """What a layer may be told: its check, its default (None where there is none), the core's name for it."""

    check: Callable[[str, Any], Any]
    default: Any
    field: str


_CHANNELS = Option(_whole("channels"), None, "channels")
_KERNEL = Option(_kernel, 3, "kernel")
# Options of each kind.
OPTIONS: dict[str, dict[str, Option]] = {
    "conv": {
        "channels": _CHANNELS,
        "kernel": _KERNEL,
        "stride": Option(_whole("stride"), 1, "stride"),
        "bias": Option(check_bool, False, "has_bias"),
    },
    "depthwise": {
        "kernel": _KERNEL,
        "stride": Option(lambda name, value: check_integer(name, value, 1, 2), 1, "stride"),
    },
    "batchnorm": {
        "eps": Option(_real("epsilon"), 1e-5, "epsilon"),
        "momentum": Option(_real("momentum"), 0.1, "momentum"),
    },
    **{function: {} for function in FUNCTIONS},
    "maxpool": {"kernel": _KERNEL, "stride": Option(_whole("stride"), 2, "stride")},
    "squeeze_excite": {
        "channels": _CHANNELS,
        "inner": Option(_function, "relu", "function"),
        "gate": Option(_function, "sigmoid", "gate"),
    },
    "residual": {"drop": Option(_real("drop"), 0.0, "drop")},
}


def check_layers(name: str, value: Any) -> Layers:
    """A backbone's layers with all their options; they may come from JSON.

    Raises
    ------
    TypeError, ValueError
        If a layer is wrong: the error names it and the option.
    """
    layers = _check_list(name, value, 0)
    seen: set[str] = set()
    for count, layer in enumerate(_walk(layers), 1):
        if count > MOST:
            raise ValueError(f"{name}: got more than {MOST} layers")
        if layer.mark is None and layer.name in seen:
            raise ValueError(f"{name}: two layers are called {layer.name!r}")
        seen.add(layer.name)
    _outputs(name, layers, (None, 1))
    return layers


def _check_list(name: str, value: Any, depth: int) -> Layers:
    wanted = 'want a list of layers, such as ("conv", {"channels": 32})'
    if not isinstance(value, list | tuple):
        raise TypeError(f"{name}: got {value!r}, {wanted}")
    if not 1 <= len(value) <= MOST:
        raise ValueError(f"{name}: got {len(value)} layers, want 1 to {MOST}")
    if depth > DEEPEST:
        raise ValueError(f"{name}: is the residual of more than {DEEPEST} others")
    return [_check_layer(f"{name}[{i}]", layer, depth) for i, layer in enumerate(value)]


def _check_layer(name: str, value: Any, depth: int) -> tuple[str, dict[str, Any]]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise TypeError(f'{name}: got {value!r}, want a pair such as ("conv", {{"channels": 32}})')
    kind = check_choice(f"{name}[0]", value[0], KINDS)
    options, known = value[1], OPTIONS[kind]
    if not isinstance(options, Mapping):
        raise TypeError(f"{name}[1]: got {options!r}, want a dict of options")
    lists = ("layers", "shortcut") if kind == "residual" else ()
    for option in options:
        if option not in (*known, *lists, "name"):
            wanted = ", ".join(repr(o) for o in (*known, *lists, "name"))
            raise ValueError(f"{name}: got the option {option!r} of {kind!r}, want one of {wanted}")
    result = {}
    for option, rule in known.items():
        given = options.get(option, rule.default)
        if given is None:
            raise ValueError(f"{name}: {kind!r} has no {option!r}, want a number")
        result[option] = rule.check(f"{name}.{option}", given)
    for option in lists:
        if options.get(option) is not None:
            result[option] = _check_list(f"{name}.{option}", options[option], depth + 1)
    if kind == "residual" and "layers" not in result:
        raise ValueError(f"{name}: 'residual' has no 'layers', want a list of them")
    if options.get("name") is not None:
        if not isinstance(options["name"], str) or not NAME.fullmatch(options["name"]):
            raise ValueError(f"{name}.name: got {options['name']!r}, want letters, digits, '.', '_', '-'")
        result["name"] = options["name"]
    return kind, result


def _outputs(name: str, layers: Layers, plane: tuple[int | None, int]) -> tuple[int | None, int]:
    """Channels, if those of the images are known or a convolution has been, and the product of strides."""
    channels, stride = plane
    for i, (kind, options) in enumerate(layers):
        stride *= options.get("stride", 1)
        if kind == "conv":
            channels = options["channels"]
        if kind != "residual":
            continue
        at = f"{name}[{i}]"
        side = _outputs(f"{at}.shortcut", options.get("shortcut", []), (channels, stride))
        after = _outputs(f"{at}.layers", options["layers"], (channels, stride))
        if side != after and None not in (side[0], after[0]):
            raise ValueError(
                f"{at}: its layers make {after[0]} channels at stride {after[1]}, but what they are added to "
                f"has {side[0]} at stride {side[1]}; want the same (see 'shortcut')"
            )
        channels, stride = after
    return channels, stride


def outputs(layers: Layers, channels: int) -> int:
    """Channels of what the layers make of images of ``channels``."""
    result = _outputs("backbone", layers, (channels, 1))[0]
    assert result is not None
    return result


def wide_channels(layers: Layers, channels: int) -> int:
    """Channels of the plane that the last layer with a stride reads, unless that is the first layer."""
    before: tuple[int | None, int] = (channels, 1)
    wide = 0
    for i in range(len(layers)):
        after = _outputs("backbone", layers[i : i + 1], before)
        if after[1] > before[1]:
            wide = i
        before = after
    return outputs(layers[:wide] if wide > 0 else layers, channels)


@dataclass(frozen=True)
class _Named:
    """A layer with its name; ``mark`` is the core's kind of what ends a list within a residual."""

    name: str
    kind: str
    options: dict[str, Any]
    mark: str | None = None


def named(layers: Layers, prefix: str = "") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Names, kinds and options of the layers of one list, without those within a residual.

    A name is the layer's place, as in PyTorch's Sequential, after ``prefix``, or the one that it was given.
    """
    for i, (kind, options) in enumerate(layers):
        yield options.get("name", f"{prefix}{i}"), kind, options


def _walk(layers: Layers, prefix: str = "") -> Iterator[_Named]:
    """All layers in the core's order."""
    for name, kind, options in named(layers, prefix):
        yield _Named(name, kind, options)
        if kind != "residual":
            continue
        yield from _walk(options["layers"], f"{name}.layers.")
        if "shortcut" in options:
            yield _Named("", kind, {}, mark="shortcut")
            yield from _walk(options["shortcut"], f"{name}.shortcut.")
        yield _Named("", kind, {}, mark="end")


def core_layers(layers: Layers) -> tuple[tuple[str, dict[str, Any]], ...]:
    """What `_core.Model` takes: each layer's name and the fields of tsimcne_layer that it has."""

    def fields(layer: _Named) -> dict[str, Any]:
        if layer.mark is not None:
            return {"kind": _core.LAYERS[layer.mark]}
        if layer.kind in FUNCTIONS:
            return {"kind": _core.LAYER_NONLINEARITY, "function": _core.FUNCTIONS[layer.kind]}
        values = {rule.field: layer.options[name] for name, rule in OPTIONS[layer.kind].items()}
        return {"kind": _core.LAYERS[layer.kind]} | {
            name: _core.FUNCTIONS[value] if isinstance(value, str) else value
            for name, value in values.items()
        }

    return tuple((layer.name, fields(layer)) for layer in _walk(layers))


def shapes(layers: Layers, channels: int) -> dict[str, tuple[int, ...]]:
    """Shapes of all arrays by name, in PyTorch's layouts."""
    result: dict[str, tuple[int, ...]] = {}
    # Channels that are read at the beginning of each residual that is not over.
    before: list[int] = []
    for layer in _walk(layers):
        name, o = layer.name, layer.options
        if layer.mark == "shortcut":
            channels = before[-1]
        elif layer.mark == "end":
            before.pop()
        elif layer.kind == "residual":
            before.append(channels)
        elif layer.kind == "conv":
            result[f"{name}.weight"] = (o["channels"], channels, o["kernel"], o["kernel"])
            channels = o["channels"]
            if o["bias"]:
                result[f"{name}.bias"] = (channels,)
        elif layer.kind == "depthwise":
            result[f"{name}.weight"] = (channels, 1, o["kernel"], o["kernel"])
        elif layer.kind == "batchnorm":
            for part in ("weight", "bias", "running_mean", "running_var"):
                result[f"{name}.{part}"] = (channels,)
        elif layer.kind == "squeeze_excite":
            for part, (a, b) in (("fc1", (channels, o["channels"])), ("fc2", (o["channels"], channels))):
                result[f"{name}.{part}.weight"] = (b, a, 1, 1)
                result[f"{name}.{part}.bias"] = (b,)
    return result
