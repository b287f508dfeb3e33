"""Names for groups of images: words that are frequent in a group and rare elsewhere."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import numpy.typing as npt

# A word of letters; capitals within begin another one, as in `redCar`.
WORD = re.compile(r"[^\W\d_]+")
HUMP = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")
ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}$")
# Letters of a word, and images of a group that have it, at least.
SHORTEST, SHARE = 3, 0.25
# How much more frequent a word is in the group than in all.
LIFT = 1.5
# Words of a name, at most.
MOST = 2
# Longer texts are no names.
LONGEST = 60


class Words:
    """What is written about each image, as sets of words.

    Parameters
    ----------
    names : list of str or None
        Paths, whose folders and files have words.
    columns : dict of lists of str
        Texts that name kinds, each of them whole.
    n : int
        Number of images.
    """

    def __init__(self, names: list[str] | None, columns: dict[str, list[str]], n: int) -> None:
        self._of_images: list[set[str]] = [set() for _ in range(n)]
        known: dict[str, set[str]] = {}
        for i, name in enumerate(names or []):
            folder, _, file = name.replace("\\", "/").rpartition("/")
            if folder not in known:
                known[folder] = _words(folder)
            self._of_images[i] |= known[folder] | _words(ENDING.sub("", file))
        for texts in columns.values():
            for words, text in zip(self._of_images, texts, strict=True):
                if 0 < len(text) <= LONGEST:
                    words.add(text)
        self._total = Counter(word for words in self._of_images for word in words)

    def names(self, codes: npt.NDArray[np.int64], count: int) -> list[str]:
        """A name for each group of images, no two the same; a number where no word tells it from others."""
        counts: list[Counter[str]] = [Counter() for _ in range(count)]
        sizes = np.bincount(codes[codes >= 0], minlength=count)
        for code, words in zip(codes.tolist(), self._of_images, strict=True):
            if code >= 0:
                counts[code].update(words)
        found: list[str] = []
        for code in range(count):
            name = ", ".join(self._telling(counts[code], int(sizes[code]), len(codes)))
            found.append(name or f"group {code + 1}")
        again = Counter(found)
        return [f"{name} ({k + 1})" if again[name] > 1 else name for k, name in enumerate(found)]

    def _telling(self, counts: Counter[str], size: int, n: int) -> list[str]:
        """Words of a group, by how much they tell: their share in it times the logarithm of the lift."""
        scores = {}
        for word, count in counts.items():
            share, lift = count / size, (count / size) / (self._total[word] / n)
            if share >= SHARE and lift >= LIFT:
                scores[word] = share * np.log(lift)
        chosen: list[str] = []
        for word in sorted(scores, key=lambda word: (-scores[word], word)):
            # A word that stands in another says nothing new.
            if not any(
                word.casefold() in other.casefold() or other.casefold() in word.casefold() for other in chosen
            ):
                chosen.append(word)
        return chosen[:MOST]


def _words(text: str) -> set[str]:
    return {word.lower() for part in WORD.findall(text) for word in HUMP.split(part) if len(word) >= SHORTEST}
