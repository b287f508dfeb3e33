"""How long training will take on this machine, measured on a few steps before it begins."""

from __future__ import annotations

import time
from dataclasses import replace

from .. import _core, recipes
from .._networks.network import Network, image_seconds
from .._patches.words import seconds as patch_seconds
from .._plane.comparison import levels_seconds
from .._plane.moving import moving_seconds
from .._plane.neighbors import search_seconds
from .._stages.cost import cost
from .._stages.stage import Stage
from .._system.config import show_config
from .core_trainer import Supplier, make_trainer
from .plan import Plan

# Steps of each kind; the first one also takes memory from the system.
STEPS = 4
# Part of `max_time` that words of patches may take, and the fewest that are of use.
WORDS_SHARE, FEWEST_WORDS = 0.2, 64
# A step that takes longer is not measured twice.
LONG = 1.0
# What becomes of a run that takes less than this share of the recipe's time; the figures behind it are in
# docs/recipes.md, where a sixth of the time loses some hundredths of kNN accuracy.
PROMISES = ((0.05, "a first impression"), (0.5, "a rough map"), (0.95, "nearly the recipe's map"))


def mapping_seconds(plan: Plan, network: Network) -> float:
    """Seconds to map all images of the plan, or for what points are moved by."""
    if plan.frees_points and not plan.architecture.reads_vectors:
        return levels_seconds(network, plan.images, _threads(plan))
    return float(image_seconds(network, plan.images, plan.threads) * plan.images.shape[0])


def step_seconds(plan: Plan, stage: Stage) -> float:
    """Seconds of a step like those of the stage, made with a network of its own."""
    outputs = int(stage.first_components or 0)
    network = Network(plan.architecture, outputs, plan.normalization)
    few = replace(stage, epochs=STEPS / plan.steps_per_epoch, output_init="keep", lr=0.0, stretches=())
    trainer = make_trainer(plan, network, seed=0, stages=[few])
    supplier = Supplier(plan, 0, [few])
    try:
        before = time.perf_counter()
        durations: list[float] = []
        while not durations or (len(durations) < STEPS and durations[-1] < LONG):
            event = trainer.advance()
            if event.kind == _core.EVENT_BATCH_WANTED:
                supplier.supply(trainer, event)
            elif event.kind != _core.EVENT_MORE:
                durations.append(time.perf_counter() - before)
                before = time.perf_counter()
        return min(durations)
    finally:
        supplier.close()
        trainer.close()
        plan.images.forget()


def words_seconds(plan: Plan, count: int) -> float:
    """Seconds that so many words of patches take, from finding them to describing all images."""
    return patch_seconds(plan.images, count, _threads(plan)) if count else 0.0


def affordable_words(plan: Plan) -> tuple[int, float]:
    """Number of words of patches, and the seconds that they take where ``max_time`` is given.

    It is that of the plan, or where it leaves too little for it, half as many and so on; but what the caller
    asks for stays.
    """
    count = plan.patch_words
    if plan.max_time is None:
        return count, 0.0
    seconds = words_seconds(plan, count)
    while plan.values.patch_words == "auto" and seconds > WORDS_SHARE * plan.max_time:
        count = count // 2 if count >= 2 * FEWEST_WORDS else 0
        seconds = words_seconds(plan, count)
    return count, seconds


def free_seconds(plan: Plan) -> float:
    """Seconds that points take once it is known by what images are compared."""
    if not plan.frees_points:
        return 0.0
    architecture, threads = plan.architecture, _threads(plan)
    columns = architecture.features if architecture.reads_vectors else recipes.COMPARED
    n = plan.images.shape[0]
    return search_seconds(n, min(columns, recipes.COMPARED), threads) + moving_seconds(n, threads)


def _threads(plan: Plan) -> int:
    return int(plan.threads or show_config()["threads"])


def training_seconds(plan: Plan) -> float:
    """Seconds from the first step to the end of mapping, if nothing else keeps the machine busy."""
    _, height, width, _ = plan.images.shape
    network = Network(plan.architecture, int(plan.stages[-1].n_components or 0), plan.normalization)
    mapping = mapping_seconds(plan, network)
    measured: dict[tuple[object, str], float] = {}
    total = mapping + _plane_seconds(plan)
    for stage in plan.stages:
        # A stage that reads features is too short to be measured without the search that it begins with.
        views = replace(stage, inputs="views", neighbors=0)
        kind = (stage.image_size, stage.trains)
        if kind not in measured:
            measured[kind] = step_seconds(plan, views)
        relative = cost(stage, (height, width)) / cost(views, (height, width))
        total += measured[kind] * relative * stage.steps(plan.steps_per_epoch)
        if stage.neighbors:
            total += mapping + search_seconds(plan.images.shape[0], plan.architecture.features, plan.threads)
    return total


def recommended_seconds(plan: Plan) -> float:
    """Seconds that the stages would take as they are written, from a few steps of the cheapest kind.

    Where a run has to end in time, what is measured is taken from it: one kind of step tells of all others
    by what they cost.
    """
    _, height, width, _ = plan.images.shape
    network = Network(plan.architecture, int(plan.stages[-1].n_components or 0), plan.normalization)
    views = [replace(stage, inputs="views", neighbors=0) for stage in plan.stages if stage.lr]
    step = 0.0
    # Feature vectors, of which points are moved, train nothing.
    if views:
        cheapest = min(views, key=lambda stage: cost(stage, (height, width)))
        step = step_seconds(plan, cheapest) / cost(cheapest, (height, width))
    steps = sum(cost(stage, (height, width)) * stage.steps(plan.steps_per_epoch) for stage in plan.stages)
    return step * steps + mapping_seconds(plan, network) + _plane_seconds(plan)


def _plane_seconds(plan: Plan) -> float:
    """Seconds of what follows training but for the network's part of it."""
    return words_seconds(plan, plan.patch_words) + free_seconds(plan)


def announcement(plan: Plan, used: float = 0.0) -> str:
    """The line that is said before training: how long it takes, or what the time given can reach.

    Parameters
    ----------
    plan : Plan
    used : float
        Seconds of ``max_time`` that are over.
    """
    n, height, width, channels = plan.images.shape
    what = f"{n:,} images of {height}×{width}×{channels}" if height > 1 else f"{n:,} vectors of {channels}"
    count = _threads(plan)
    threads = "1 thread" if count == 1 else f"{count} threads"
    if plan.max_time is None:
        seconds = training_seconds(plan)
        return f"t-SimCNE: {what}, about {_rounded(seconds)} on {threads} ({_until(seconds)})"
    recommended = recommended_seconds(plan)
    return (
        f"t-SimCNE: {what} on {threads}, {_share(plan.max_time, recommended)} "
        f"({_until(plan.max_time - used)})"
    )


def _until(seconds: float) -> str:
    return f"until {time.strftime('%a %H:%M', time.localtime(time.time() + seconds))}"


def _share(given: float, recommended: float) -> str:
    """The time that is given beside that of the recipe, and what to expect of it."""
    for share, promise in PROMISES:
        if given < share * recommended:
            return f"{_rounded(given)} of the {_rounded(recommended)} recommended: {promise}"
    return f"{_rounded(given)}, where {_rounded(recommended)} are recommended: time enough"


def _rounded(seconds: float) -> str:
    """Two digits are all that can be promised."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.2g} {unit}"
    return f"{max(seconds, 1):.2g} seconds"
