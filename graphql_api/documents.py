"""Documents parsed and validated once: the same text is neither read nor checked against the schema again."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from graphql import DocumentNode, GraphQLError, GraphQLSchema, parse, specified_rules
from strawberry.schema.schema import validate_document

ENTRIES_MAX = 256
CACHED_LENGTH_MAX = 20_000


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document and what is wrong with it; a valid one has no faults."""

    document: DocumentNode
    faults: tuple[GraphQLError, ...]


class Documents:
    """The most recently used documents of one schema; safe for threads."""

    def __init__(self, schema: GraphQLSchema, tokens_max: int) -> None:
        self._schema, self._tokens_max = schema, tokens_max
        self._read: OrderedDict[str, ReadDocument] = OrderedDict()
        self._lock = threading.Lock()

    def is_known(self, text: str) -> bool:
        """Whether the text was read and checked before, so that asking for it again is no work."""
        with self._lock:
            return text in self._read

    def parsed(self, text: str) -> DocumentNode:
        """The document, or the GraphQLSyntaxError or RecursionError it ends in."""
        with self._lock:
            if (known := self._read.get(text)) is not None:
                self._read.move_to_end(text)
                return known.document
        return parse(text, max_tokens=self._tokens_max)

    def validated(self, text: str, document: DocumentNode) -> tuple[GraphQLError, ...]:
        """What is wrong with a parsed document by the rules of the specification."""
        with self._lock:
            if (known := self._read.get(text)) is not None:
                return known.faults
        faults = tuple(validate_document(self._schema, document, tuple(specified_rules)))
        if len(text) <= CACHED_LENGTH_MAX:
            with self._lock:
                self._read[text] = ReadDocument(document, faults)
                while len(self._read) > ENTRIES_MAX:
                    self._read.popitem(last=False)
        return faults
