"""Screening one party against every loaded list: candidates, scores, and a decision with its evidence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from compliance import matcher, names
from compliance.candidates import CandidateIndex
from compliance.countries import country_code
from compliance.lists.entry import Alias, EntryKind, ListEntry
from compliance.subject import PartyKind

ALGORITHM_VERSION = f"screening-1+{names.ALGORITHM_VERSION}+{matcher.ALGORITHM_VERSION}"

_IDENTIFIER_CHARACTERS_MIN = 6
_HITS_MAX = 20
_WEAK_ALIAS_CAP = 0.94
_BIRTH_CONTRADICTS = 0.8
_COUNTRY_CONTRADICTS = 0.93
_KIND_CONTRADICTS = 0.8
_HOMOPHONE_BORN_ALIKE = 0.8


class Decision(StrEnum):
    """What screening decided: a presumed true match, a case for a human, nothing, or that it could not look.

    NOT_COMPARABLE is a name without a Latin spelling that this algorithm knows (Arabic, Thai, an empty name).
    """

    MATCH = "MATCH"
    POSSIBLE = "POSSIBLE"
    CLEAR = "CLEAR"
    NOT_LOADED = "NOT_LOADED"
    NOT_COMPARABLE = "NOT_COMPARABLE"


class Agreement(StrEnum):
    """How one secondary fact stands to the listed one; UNKNOWN where either side does not give it."""

    AGREES = "AGREES"
    PARTLY = "PARTLY"
    CONTRADICTS = "CONTRADICTS"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The party to screen; thresholds are scores between 0 and 1, from the rule book."""

    name: str
    kind: PartyKind
    aliases: tuple[str, ...] = ()
    birth_on: date | None = None
    countries: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    refer_from: float = 0.70
    match_from: float = 0.95


@dataclass(frozen=True, slots=True)
class ListVersion:
    """One list that was searched."""

    list_id: str
    version: str
    entry_count: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One listed party at or above the review threshold, with the parts of its score."""

    list_id: str
    entry_id: str
    matched_name: str
    score: float
    name_score: float
    birth: Agreement
    country: Agreement
    identifier: bool

    @property
    def confirmed(self) -> bool:
        """Whether secondary data agree so that the match is presumed true."""
        birth_and_country = self.birth is Agreement.PARTLY and self.country is Agreement.AGREES
        return self.identifier or self.birth is Agreement.AGREES or birth_and_country


@dataclass(frozen=True, slots=True)
class ScreeningResult:
    """The decision, the best hits, how many candidates were compared and dropped, and what was searched with what."""

    decision: Decision
    hits: tuple[Hit, ...]
    dropped: int
    lists: tuple[ListVersion, ...]
    algorithm_version: str = ALGORITHM_VERSION

    def evidence(self) -> Mapping[str, str]:
        """What must be kept to repeat the decision; names no listed party but by its list's own id."""
        return {
            "algorithm": self.algorithm_version,
            "lists": ";".join(f"{item.list_id}@{item.version}({item.entry_count})" for item in self.lists),
            "hits": ";".join(f"{hit.list_id}:{hit.entry_id}={hit.score:.3f}" for hit in self.hits),
            "dropped": str(self.dropped),
        }


@dataclass(frozen=True, slots=True)
class _Listed:
    """One name of one entry, ready for comparison."""

    list_id: str
    entry: ListEntry
    alias: Alias
    parsed: names.ParsedName


class Screener:
    """Every loaded list in memory, indexed for candidate search; immutable once built, so safe for threads."""

    def __init__(self, entries: Iterable[tuple[str, ListEntry]], lists: tuple[ListVersion, ...]) -> None:
        self.lists = lists
        self._listed: list[_Listed] = []
        self._by_identifier: dict[str, list[int]] = {}
        for list_id, entry in entries:
            self._add(list_id, entry)
        self._index = CandidateIndex([item.parsed for item in self._listed])

    @property
    def entry_count(self) -> int:
        return sum(item.entry_count for item in self.lists)

    def screen(self, query: Query) -> ScreeningResult:
        """Compare the party with every candidate; no list loaded is never CLEAR."""
        if not self._listed:
            return ScreeningResult(Decision.NOT_LOADED, (), 0, self.lists)
        organisation = query.kind is PartyKind.ORGANISATION
        given = [names.parse(text, organisation=organisation) for text in (query.name, *query.aliases)]
        best: dict[tuple[str, str], Hit] = {}
        for hit in self._scored(query, given):
            key = (hit.list_id, hit.entry_id)
            if key not in best or (hit.identifier, hit.score) > (best[key].identifier, best[key].score):
                best[key] = hit
        kept = sorted(
            (hit for hit in best.values() if hit.score >= query.refer_from),
            key=lambda hit: (-hit.score, hit.list_id, hit.entry_id),
        )
        decision = Decision.POSSIBLE if kept else Decision.CLEAR
        if not kept and not any(parsed.comparable for parsed in given):
            decision = Decision.NOT_COMPARABLE
        if any(hit.score >= query.match_from and hit.confirmed for hit in kept):
            decision = Decision.MATCH
        return ScreeningResult(decision, tuple(kept[:_HITS_MAX]), len(best) - len(kept), self.lists)

    def _scored(self, query: Query, given: Iterable[names.ParsedName]) -> Iterable[Hit]:
        identified = {
            position
            for identifier in map(_normal_identifier, query.identifiers)
            for position in self._by_identifier.get(identifier, ())
        }
        for parsed in given:
            for position in identified | self._index.candidates(parsed):
                yield _score(query, parsed, self._listed[position], position in identified)

    def _add(self, list_id: str, entry: ListEntry) -> None:
        organisation = entry.kind is not EntryKind.PERSON
        for alias in (Alias(entry.name, "name"), *entry.aliases):
            parsed = names.parse(alias.name, organisation=organisation)
            for identifier in map(_normal_identifier, entry.identifiers):
                if len(identifier) >= _IDENTIFIER_CHARACTERS_MIN:
                    self._by_identifier.setdefault(identifier, []).append(len(self._listed))
            self._listed.append(_Listed(list_id, entry, alias, parsed))


def score_pair(query: Query, entry: ListEntry) -> Hit:
    """The best hit of a party against one entry, by any of both sides' names."""
    identifiers = {_normal_identifier(text) for text in entry.identifiers}
    identified = any(_normal_identifier(text) in identifiers for text in query.identifiers)
    hits = [
        _score(query, names.parse(text, organisation=query.kind is PartyKind.ORGANISATION), listed, identified)
        for text in (query.name, *query.aliases)
        for listed in (
            _Listed("", entry, alias, names.parse(alias.name, organisation=entry.kind is not EntryKind.PERSON))
            for alias in (Alias(entry.name, "name"), *entry.aliases)
        )
    ]
    return max(hits, key=lambda hit: hit.score)


def _score(query: Query, parsed: names.ParsedName, listed: _Listed, identified: bool) -> Hit:  # noqa: FBT001
    entry = listed.entry
    name = matcher.compare(parsed, listed.parsed)
    birth = _birth_agreement(query.birth_on, entry)
    country = _country_agreement(query.countries, entry.countries)
    score = name.score
    if name.homophone and birth is Agreement.AGREES:
        score = _HOMOPHONE_BORN_ALIKE
    if listed.alias.weak:
        score = min(score, _WEAK_ALIAS_CAP)
    if birth is Agreement.CONTRADICTS:
        score *= _BIRTH_CONTRADICTS
    if country is Agreement.CONTRADICTS:
        score *= _COUNTRY_CONTRADICTS
    if (query.kind is PartyKind.PERSON) != (entry.kind is EntryKind.PERSON):
        score *= _KIND_CONTRADICTS
    if identified:
        score = 1.0
    return Hit(listed.list_id, entry.entry_id, listed.alias.name, score, name.score, birth, country, identified)


def _birth_agreement(born: date | None, entry: ListEntry) -> Agreement:
    if born is None or not entry.births:
        return Agreement.UNKNOWN
    spans = [span for span in entry.births if span.first <= born <= span.last]
    if any(span.exact for span in spans):
        return Agreement.AGREES
    if spans:
        return Agreement.PARTLY
    # Lists often differ from papers by a swapped day and month, so the same year is not yet a contradiction.
    near = any(abs(span.first.year - born.year) == 0 for span in entry.births)
    return Agreement.UNKNOWN if near else Agreement.CONTRADICTS


def _country_agreement(given: tuple[str, ...], listed: tuple[str, ...]) -> Agreement:
    if not given or not listed:
        return Agreement.UNKNOWN
    shared = {country_code(text) for text in given} & {country_code(text) for text in listed}
    return Agreement.AGREES if shared else Agreement.CONTRADICTS


def _normal_identifier(text: str) -> str:
    return "".join(char for char in names.fold(text) if char.isalnum()).removeprefix("imo")
