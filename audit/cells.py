"""Whether the cells of a raw row have the types their columns promise; SQLite keeps no such promise by itself."""

from typing import Any, NamedTuple

from audit.loan_file import FileDecision, FileLien, FileLoan, FileOutbox, FileRecord

_TYPES: dict[type[Any], dict[str, tuple[type[Any], ...]]] = {}
_GOOD: set[tuple[type[Any], tuple[type[Any], ...]]] = set()


def malformed(row: NamedTuple) -> list[str]:
    """The columns of `row` whose cell has the wrong type."""
    signature = (type(row), tuple(map(type, row)))
    if signature in _GOOD:
        return []
    wrong = [name for name, kind in zip(row._fields, signature[1], strict=True) if kind not in _TYPES[type(row)][name]]
    if not wrong:
        _GOOD.add(signature)
    return wrong


def _declare(kind: Any) -> None:
    names = {"int": int, "str": str, "bytes": bytes, "None": type(None)}
    _TYPES[kind] = {
        name: tuple(names[part] for part in str(hint).replace("<class '", "").replace("'>", "").split(" | "))
        for name, hint in kind.__annotations__.items()
    }


for _kind in (FileLoan, FileRecord, FileOutbox, FileLien, FileDecision):
    _declare(_kind)
