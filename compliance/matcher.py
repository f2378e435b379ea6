"""How alike two names are: characters first for East Asian scripts, else the best alignment of their tokens."""

from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA, Levenshtein

from compliance.names import ParsedName, is_particle, skeleton, weight
from compliance.surnames import same_surname

ALGORITHM_VERSION = "matcher-1"

_PAIR_FROM = 0.6
_SOUND_ALIKE = 0.92
_INITIAL = 0.8
_CONFLICT_CAP = 0.66
_EXTRA_COST = 0.25
_EXTRA_COST_SINGLE = 0.5
_CONFLICT_COST = 2.0
_LEGAL_FORM_DIFFERS = 0.98
_NUMBER_DIFFERS = 0.9
_HOMOPHONE = 0.65
_CONTAINED = 0.8
_INCOMPLETE_QUERY = 0.72


@dataclass(frozen=True, slots=True)
class NameScore:
    """A name similarity between 0 and 1; a homophone is written with other characters of the same sound."""

    score: float
    homophone: bool = False


def compare(query: ParsedName, listed: ParsedName) -> NameScore:
    """The similarity of a query to a listed name."""
    if query.folded == listed.folded:
        return NameScore(1.0)
    if query.chars and listed.chars and (query.chars[0] > "\uabff") == (listed.chars[0] > "\uabff"):
        return _by_character(query, listed)
    best = max(_by_token(left, right) for left in query.forms[:8] for right in listed.forms[:8])
    if query.numbers != listed.numbers:
        best *= _NUMBER_DIFFERS
    if query.legal and listed.legal and query.legal.isdisjoint(listed.legal):
        best *= _LEGAL_FORM_DIFFERS
    return NameScore(best)


def _by_character(query: ParsedName, listed: ParsedName) -> NameScore:
    left, right = query.chars, listed.chars
    if left == right:
        return NameScore(1.0)
    if max(len(left), len(right)) > 4:
        return NameScore(max(Levenshtein.normalized_similarity(left, right), _contained(left, right)))
    homophone = len(left) == len(right) and bool(set(query.forms) & set(listed.forms))
    alike = Levenshtein.normalized_similarity(left, right)
    return NameScore(min(_HOMOPHONE, alike) if not homophone else _HOMOPHONE, homophone)


def _contained(left: str, right: str) -> float:
    short, long = sorted((left, right), key=len)
    return _CONTAINED if len(short) >= 3 and short in long else 0.0


def _by_token(left: tuple[str, ...], right: tuple[str, ...]) -> float:
    return max(_aligned(left, right), _compact(left, right))


def _compact(left: tuple[str, ...], right: tuple[str, ...]) -> float:
    """Joined names, for words split or joined otherwise."""
    one, two = "".join(left), "".join(right)
    longest = max(len(one), len(two))
    if min(len(one), len(two)) < 5:
        return 1.0 if one == two else 0.0
    allowed = longest // 9 if len(left) == len(right) else longest // 12
    distance = OSA.distance(one, two, score_cutoff=allowed)
    return 1.0 - distance / longest if distance <= allowed else 0.0


def _aligned(left: tuple[str, ...], right: tuple[str, ...]) -> float:
    left, right = _unsplit(left, right)
    pairs = sorted(
        (
            (alike, i, j)
            for i, one in enumerate(left)
            for j, two in enumerate(right)
            if (alike := token_similarity(one, two)) >= _PAIR_FROM
        ),
        key=lambda pair: (-pair[0] * (weight(left[pair[1]]) + weight(right[pair[2]])), abs(pair[1] - pair[2])),
    )
    used_left: set[int] = set()
    used_right: set[int] = set()
    matched = total = 0.0
    for alike, i, j in pairs:
        if i in used_left or j in used_right:
            continue
        used_left.add(i)
        used_right.add(j)
        size = (weight(left[i]) + weight(right[j])) / 2
        matched += alike * size
        total += size
    rest_left = _rest(left, used_left)
    rest_right = _rest(right, used_right)
    return _combined(left, right, matched, total, rest_left, rest_right)


def _rest(tokens: tuple[str, ...], used: set[int]) -> list[str]:
    """What was not matched; a word repeated in the same name says nothing new."""
    kept = {tokens[i] for i in used}
    return [token for i, token in enumerate(tokens) if i not in used and token not in kept]


def _combined(
    left: tuple[str, ...],
    right: tuple[str, ...],
    matched: float,
    total: float,
    rest_left: list[str],
    rest_right: list[str],
) -> float:
    if total <= 0:
        return 0.0
    open_left = sum(map(weight, rest_left))
    open_right = sum(map(weight, rest_right))
    conflict, extra = min(open_left, open_right), abs(open_left - open_right)
    single = min(len(left), len(right)) == 1
    cost = _EXTRA_COST_SINGLE if single else _EXTRA_COST
    score = matched / (total + _CONFLICT_COST * conflict + cost * extra)
    if any(len(token) > 1 for token in rest_left) and any(len(token) > 1 for token in rest_right) and conflict >= 2:
        score = min(score, _CONFLICT_CAP)
    telling = [token for token in left if not is_particle(token)]
    if len(telling) == 1 and len(telling[0]) >= 4 and telling[0] not in rest_left and matched >= 0.9 * total:
        # Somebody known by one word only cannot be told from a listed party that bears it.
        score = max(score, _INCOMPLETE_QUERY)
    return score


def _unsplit(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Join neighbouring tokens on one side where they make up one token of the other."""
    return _join_towards(left, right), _join_towards(right, left)


def _join_towards(tokens: tuple[str, ...], targets: tuple[str, ...]) -> tuple[str, ...]:
    shortest = min(map(len, tokens))
    wanted = {target for target in targets if len(target) >= 4 and len(target) > shortest and target not in tokens}
    if not wanted or len(tokens) == 1:
        return tokens
    out: list[str] = []
    i = 0
    while i < len(tokens):
        joined = tokens[i]
        for end in range(i + 2, min(i + 4, len(tokens)) + 1):
            candidate = "".join(tokens[i:end])
            if candidate in wanted:
                joined, i = candidate, end - 1
                break
        out.append(joined)
        i += 1
    return tuple(out)


@lru_cache(maxsize=131_072)
def token_similarity(one: str, two: str) -> float:
    """Between 0 and 1: equal, the same sound or surname, an initial, or few typing slips for the length."""
    if one == two:
        return 1.0
    if one.isdigit() or two.isdigit():
        return 0.0
    short, long = sorted((one, two), key=len)
    if len(short) == 1:
        return _INITIAL if long.startswith(short) else 0.0
    if same_surname(one, two):
        return _SOUND_ALIKE
    if len(short) >= 3 and skeleton(one) == skeleton(two):
        return _SOUND_ALIKE
    allowed = 0 if len(short) < 4 else 1 if len(short) < 6 else 2
    distance = OSA.distance(one, two, score_cutoff=allowed)
    if distance > allowed:
        return 0.0
    return 1.0 - distance / len(long) * 1.1
