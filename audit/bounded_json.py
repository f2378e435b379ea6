"""JSON from a stranger, read only when it is not nested deeper than the parser's stack can bear.

The standard library's parser is bounded by the interpreter's recursion limit alone, and libraries raise that limit:
a file of opening brackets would then end the process instead of being refused.
"""

import json
import re
from typing import Any

DEPTH_MAX = 64
_TELLING = re.compile(r'[\[\]{}"\\]')


class TooDeep(ValueError):
    """Lists and objects are nested deeper than `DEPTH_MAX`."""


def loads(text: str, **hooks: Any) -> Any:
    """As `json.loads`, or `TooDeep`."""
    if text.count("[") + text.count("{") > DEPTH_MAX and _is_deep(text):
        raise TooDeep(f"lists and objects are nested more than {DEPTH_MAX} deep")
    return json.loads(text, **hooks)


def _is_deep(text: str) -> bool:
    depth = resume = 0
    in_string = False
    for found in _TELLING.finditer(text):
        character, at = found[0], found.start()
        if at < resume:
            continue
        if character == "\\":
            resume = at + 2
        elif character == '"':
            in_string = not in_string
        elif not in_string:
            depth += 1 if character in "[{" else -1
        if depth > DEPTH_MAX:
            return True
    return False
