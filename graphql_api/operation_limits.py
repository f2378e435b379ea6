"""What an operation would cost, measured before anything runs: depth, aliases, page sizes, objects.

One pass in which every fragment is measured once, whoever spreads it: linear in the document, however its fragments
chain. (Strawberry's own limiters walk every path, which doubles with each fragment.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_introspection_type,
)
from graphql.type import SchemaMetaFieldDef, TypeMetaFieldDef

from graphql_api.context import Limits
from graphql_api.introspection import BESIDE_DATA, LIST_LENGTHS, is_pure
from graphql_api.paging import PageTooLarge
from graphql_api.selection_width import check_width
from registry.domain.errors import InvalidInput

COUNT_MAX = 10**15  # counts stop here: a document that far beyond any limit needs no exact figure
_PAGE_ARGUMENTS = ("first", "last")
EVIDENCE_WEIGHT = 200  # a proof from the node, records opened and the whole verified
REPLAY_WEIGHT = 1_000  # each loan of a portfolio is replayed to a past day


@dataclass(eq=False)
class QueryTooDeep(InvalidInput):
    """Fields nest deeper than allowed."""

    most: int
    code: ClassVar[str] = "QUERY_TOO_DEEP"

    def __str__(self) -> str:
        return f"Fields may nest {self.most} deep; ask for the rest in a second query."


@dataclass(eq=False)
class QueryTooManyAliases(InvalidInput):
    """More fields are renamed than allowed, counted as often as their fragment is spread."""

    given: int
    most: int
    code: ClassVar[str] = "QUERY_TOO_MANY_ALIASES"

    def __str__(self) -> str:
        return f"The operation has {self.given} aliases; {self.most} are allowed."


@dataclass(eq=False)
class QueryTooLong(InvalidInput):
    """The document has more tokens than are read."""

    most: int
    code: ClassVar[str] = "QUERY_TOO_LONG"

    def __str__(self) -> str:
        return f"The document has more than {self.most} tokens; shorten it or send it in parts."


@dataclass(eq=False)
class QueryTooCostly(InvalidInput):
    """The operation could return more objects than one answer holds: page sizes multiply along a path."""

    given: int
    most: int
    code: ClassVar[str] = "QUERY_TOO_COSTLY"

    def __str__(self) -> str:
        return f"The operation could return {self.given} objects; ask for at most {self.most}: use smaller pages."


@dataclass(frozen=True, slots=True)
class Measure:
    """What a selection amounts to: levels of fields, aliases, and objects for each object it is asked of.

    `described` are objects that describe the schema, counted apart from those of the registry.
    """

    depth: int = 0
    aliases: int = 0
    cost: int = 0
    described: int = 0

    def beside(self, other: "Measure") -> "Measure":
        return Measure(
            max(self.depth, other.depth),
            min(COUNT_MAX, self.aliases + other.aliases),
            min(COUNT_MAX, self.cost + other.cost),
            min(COUNT_MAX, self.described + other.described),
        )


NOTHING = Measure()


def check_operation(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, Any],
    limits: Limits,
) -> Measure:
    """The measure of the operation, or the limit it exceeds."""
    survey = _Survey(schema, document, variables, limits)
    measured = NOTHING
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode) and _is_named(definition, operation_name):
            root = schema.get_root_type(definition.operation)
            measured = measured.beside(survey.selection(definition.selection_set, root))
    if measured.depth > limits.depth:
        raise QueryTooDeep(limits.depth)
    if measured.aliases > limits.aliases:
        raise QueryTooManyAliases(measured.aliases, limits.aliases)
    cost = measured.cost + measured.described * (1 if is_pure(document, operation_name) else BESIDE_DATA)
    if cost > limits.cost:
        raise QueryTooCostly(cost, limits.cost)
    check_width(document, limits.width)
    return measured


def _is_named(operation: OperationDefinitionNode, name: str | None) -> bool:
    return name is None or (operation.name is not None and operation.name.value == name)


class _Survey:
    """The pass over one document. A fragment met again while it is being measured counts nothing: validation refuses
    such circles.
    """

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any], limits: Limits
    ) -> None:
        self._schema, self._variables, self._limits = schema, variables, limits
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._measured: dict[str, Measure] = {}
        self._defaults = {
            variable.variable.name.value: variable.default_value
            for definition in document.definitions
            if isinstance(definition, OperationDefinitionNode)
            for variable in definition.variable_definitions or ()
        }

    def selection(self, selected: SelectionSetNode | None, parent: Any) -> Measure:
        total = NOTHING
        for node in selected.selections if selected is not None else ():
            if isinstance(node, FieldNode):
                total = total.beside(self._field(node, parent))
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self._schema.get_type(condition.name.value) if condition is not None else parent
                total = total.beside(self.selection(node.selection_set, inner))
            elif isinstance(node, FragmentSpreadNode):
                total = total.beside(self._fragment(node.name.value))
        return total

    def _fragment(self, name: str) -> Measure:
        if name in self._measured or name not in self._fragments:
            return self._measured.get(name, NOTHING)
        self._measured[name] = NOTHING
        definition = self._fragments[name]
        on = self._schema.get_type(definition.type_condition.name.value)
        self._measured[name] = self.selection(definition.selection_set, on)
        return self._measured[name]

    def _field(self, node: FieldNode, parent: Any) -> Measure:
        name = node.name.value
        alias = 1 if node.alias is not None else 0
        if name == "__typename":
            return Measure(1, alias)
        if name in {"__schema", "__type"} or _is_described(parent):
            return self._described(node, parent, alias)
        kind = self._type_of(parent, name)
        times = self._times(node, kind)
        inner = self.selection(node.selection_set, get_named_type(kind) if kind is not None else None)
        own = times if node.selection_set is not None and not _is_page(kind) else 0
        return Measure(
            inner.depth + 1,
            min(COUNT_MAX, inner.aliases + alias),
            min(COUNT_MAX, own + self._weight(node, parent) + times * inner.cost),
            min(COUNT_MAX, times * inner.described),
        )

    def _described(self, node: FieldNode, parent: Any, alias: int) -> Measure:
        """A field about the schema; how deep such lists nest is a rule of validation, as types refer to each other."""
        name = node.name.value
        kind = _META_TYPES.get(name) or self._type_of(parent, name)
        inner = self.selection(node.selection_set, get_named_type(kind) if kind is not None else None)
        times = len(self._schema.type_map) if name == "types" else LIST_LENGTHS.get(name, 1)
        own = times if node.selection_set is not None and (name in _META_TYPES or times > 1) else 0
        return Measure(
            1 if name in _META_TYPES else 0,
            min(COUNT_MAX, inner.aliases + alias),
            0,
            min(COUNT_MAX, own + times * inner.described),
        )

    def _weight(self, node: FieldNode, parent: Any) -> int:
        """What single fields count for that are much more work than an object."""
        match parent.name if isinstance(parent, GraphQLObjectType) else "", node.name.value:
            case "Loan", "evidence":
                return EVIDENCE_WEIGHT
            case "Query", "portfolio" if any(
                argument.name.value == "asOf" and not self._is_null(argument.value) for argument in node.arguments or ()
            ):
                return REPLAY_WEIGHT
        return 0

    def _type_of(self, parent: Any, name: str) -> GraphQLOutputType | None:
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) and name in parent.fields:
            kind: GraphQLOutputType = parent.fields[name].type
            return kind
        return None

    def _times(self, node: FieldNode, kind: GraphQLOutputType | None) -> int:
        """How many objects the field can return: its page size, the ids it is given, or a list's weight."""
        for argument in node.arguments or ():
            given = self._value(argument.value)
            if argument.name.value in _PAGE_ARGUMENTS and isinstance(given, int | float):  # 5.0 is an Int to GraphQL
                if given > self._limits.page_max:
                    raise PageTooLarge(int(given), self._limits.page_max)
                return max(1, int(given))
            if argument.name.value == "ids" and isinstance(given, list):
                return max(1, len(given))
        if _is_page(kind):
            return self._limits.page_default
        is_list = kind is not None and isinstance(get_nullable_type(kind), GraphQLList)
        return self._limits.list_weight if is_list and not _is_edges(node) else 1

    def _is_null(self, value: Any) -> bool:
        if isinstance(value, VariableNode):
            name = value.name.value
            return (self._variables[name] if name in self._variables else self._defaults.get(name)) is None
        return isinstance(value, NullValueNode)

    def _value(self, value: Any) -> Any:
        """A literal or a variable's value as far as a size can be told from it."""
        if isinstance(value, VariableNode):
            name = value.name.value
            return self._variables[name] if name in self._variables else self._value(self._defaults.get(name))
        if isinstance(value, IntValueNode):
            return int(value.value[:18])
        return list(value.values) if isinstance(value, ListValueNode) else None


_META_TYPES: Mapping[str, GraphQLOutputType] = {
    "__schema": SchemaMetaFieldDef.type,
    "__type": TypeMetaFieldDef.type,
}


def _is_described(parent: Any) -> bool:
    return isinstance(parent, GraphQLObjectType) and is_introspection_type(parent)


def _is_page(kind: GraphQLOutputType | None) -> bool:
    return kind is not None and get_named_type(kind).name.endswith("Connection")


def _is_edges(node: FieldNode) -> bool:
    """The edges of a connection: its page size counted them already."""
    return node.name.value == "edges"
