"""How many fields come together in one selection set, after its fragments and equally named fields are merged.

The specification's rule that such fields do not conflict compares them in pairs, which is why their number is bounded
before the rule runs (GraphQL specification, "Field Selection Merging").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from registry.domain.errors import InvalidInput

VISITED_MAX = 10_000  # fields met along all paths: what a document of 2,000 tokens that people write stays far below


@dataclass(eq=False)
class QueryTooWide(InvalidInput):
    """One selection set, with the fragments spread in it, has more fields than allowed."""

    most: int
    code: ClassVar[str] = "QUERY_TOO_WIDE"

    def __str__(self) -> str:
        return f"One selection set may have {self.most} fields, those of its fragments included; ask in parts."


def check_width(document: DocumentNode, most: int) -> None:
    """Refuse a document in which more than `most` fields come together anywhere, in operations or fragments."""
    fragments = fragments_of(document)
    waiting: list[tuple[SelectionSetNode, ...]] = [
        (definition.selection_set,)
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    merged, visited = set(), 0
    while waiting:
        together = waiting.pop()
        key = frozenset(map(id, together))
        if key in merged:
            continue
        merged.add(key)
        fields = merged_fields(together, fragments)
        visited += len(fields)
        if len(fields) > most or visited > VISITED_MAX:
            raise QueryTooWide(most)
        waiting.extend(_below(fields))


def fragments_of(document: DocumentNode) -> dict[str, SelectionSetNode]:
    """What the fragments of a document select, by name."""
    return {
        definition.name.value: definition.selection_set
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }


def merged_fields(together: Sequence[SelectionSetNode], fragments: Mapping[str, SelectionSetNode]) -> list[FieldNode]:
    """The fields of selection sets and of the fragments in them, each fragment taken once."""
    found: list[FieldNode] = []
    waiting, spread = list(together), set[str]()
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                found.append(node)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                waiting.extend(_unspread(node.name.value, fragments, spread))
    return found


def _unspread(name: str, fragments: Mapping[str, SelectionSetNode], spread: set[str]) -> list[SelectionSetNode]:
    if name in spread or name not in fragments:
        return []
    spread.add(name)
    return [fragments[name]]


def _below(fields: Sequence[FieldNode]) -> list[tuple[SelectionSetNode, ...]]:
    """The selection sets of fields of one response name, which are merged."""
    by_name: dict[str, list[SelectionSetNode]] = {}
    for field in fields:
        if field.selection_set is not None:
            name = field.alias.value if field.alias is not None else field.name.value
            by_name.setdefault(name, []).append(field.selection_set)
    return [tuple(sets) for sets in by_name.values()]
