"""Finding the few listed names worth comparing: an inverted index over words, sounds, slips and joined names."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest
from itertools import pairwise

from compliance.names import ParsedName, skeleton, weight
from compliance.surnames import SURNAMES_BY_SPELLING

_CANDIDATES_MAX = 200
_SLIP_LENGTH_MIN = 4
_FORMS_MAX = 10
_UNSHARED_COST = 0.35


class CandidateIndex:
    """Positions of names by key; a query collects the positions that share keys and keeps those sharing most.

    Keys of a word: the word, its sound, and the word with each letter left out, so that one typing slip on each
    side still meets. A whole name is also indexed joined, for words split or joined otherwise.
    """

    def __init__(self, parsed: Sequence[ParsedName]) -> None:
        postings: dict[str, array[int]] = defaultdict(lambda: array("I"))
        for position, name in enumerate(parsed):
            for key in {key for key, _ in _keys(name)}:
                postings[key].append(position)
        self._postings = dict(postings)
        self._sizes = array("f", (max((sum(map(weight, form)) for form in name.forms), default=0) for name in parsed))

    def candidates(self, name: ParsedName) -> set[int]:
        """Positions of the names most worth comparing with `name`."""
        gained: dict[int, float] = defaultdict(float)
        by_word: dict[str, list[str]] = defaultdict(list)
        worth: dict[str, float] = {}
        for key, word in _keys(name):
            by_word[word].append(key)
            worth[word] = weight(word)
        for word, keys in by_word.items():
            # A word counts once for each listed name, however many of its keys meet.
            met: set[int] = set()
            for key in keys:
                met.update(self._postings.get(key, ()))
            for position in met:
                gained[position] += worth[word]
        return set(nlargest(_CANDIDATES_MAX, gained, key=lambda position: self._promise(position, gained[position])))

    def _promise(self, position: int, gained: float) -> float:
        """What a name shares, less a part of what it does not: the shape of the score, before it is computed."""
        return gained - _UNSHARED_COST * max(0.0, self._sizes[position] - gained)


def _keys(name: ParsedName) -> Iterator[tuple[str, str]]:
    """Pairs of an index key and the word it stands for."""
    if name.chars:
        yield f"={name.chars}", name.chars
        for first, second in pairwise(name.chars):
            yield f"={first}{second}", first + second
    for form in name.forms[:_FORMS_MAX]:
        for word in form:
            yield from ((key, word) for key in _word_keys(word))
        if len(form) > 1:
            joined = "".join(form)
            yield f"+{joined}", joined
            yield f"+{''.join(sorted(form))}", joined
            yield from ((f"+{one}{two}", one + two) for one, two in pairwise(form))
        else:
            yield from ((f"+{word}", word) for word in form)


def _word_keys(word: str) -> Iterable[str]:
    yield word
    if len(word) >= 3:
        yield f"~{skeleton(word)}"
    for surname in SURNAMES_BY_SPELLING.get(word, ()):
        yield f"@{surname}"
    if len(word) >= _SLIP_LENGTH_MIN:
        yield f"-{word}"
        for i in range(min(len(word), 12)):
            yield f"-{word[:i]}{word[i + 1 :]}"
