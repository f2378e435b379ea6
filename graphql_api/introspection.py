"""What asking about the schema costs: how long its lists are, and whether an operation asks for nothing else."""

from collections.abc import Mapping

from graphql import DocumentNode, OperationDefinitionNode

from graphql_api.selection_width import fragments_of, merged_fields

META_FIELDS = frozenset({"__schema", "__type", "__typename"})
BESIDE_DATA = 10  # introspection beside data runs where other requests wait, so it counts this many times
# About as long as these lists are in this schema on average, but for `types`, which is counted.
LIST_LENGTHS: Mapping[str, int] = {
    "directives": 8,
    "locations": 4,
    "fields": 8,
    "args": 2,
    "inputFields": 3,
    "enumValues": 3,
    "interfaces": 2,
    "possibleTypes": 2,
}


def is_pure(document: DocumentNode, operation_name: str | None) -> bool:
    """Whether the operation asks about the schema only: it runs without a resolver, in any thread."""
    operations = [
        definition
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
        and (operation_name is None or (definition.name is not None and definition.name.value == operation_name))
    ]
    roots = [operation.selection_set for operation in operations]
    return all(field.name.value in META_FIELDS for field in merged_fields(roots, fragments_of(document)))
