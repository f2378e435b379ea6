"""Prints the schema, or tells whether the committed copy still is what the code serves."""

import argparse
import difflib
import sys
from pathlib import Path

from graphql_api.schema import build_schema

COMMITTED = Path(__file__).with_name("schema.graphql")


def printed_schema() -> str:
    """The schema in the schema definition language, with all descriptions."""
    return build_schema().as_str().rstrip() + "\n"


def differences(committed: str, served: str) -> list[str]:
    """A unified diff; empty when both are the same."""
    names = ("schema.graphql as committed", "schema as served")
    return list(difflib.unified_diff(committed.splitlines(), served.splitlines(), *names, lineterm=""))


def main(arguments: list[str] | None = None) -> int:
    """Print the schema; with --check compare instead (exit 1 on a difference), with --write replace the copy."""
    parser = argparse.ArgumentParser(prog="python -m graphql_api.print_schema", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the committed copy")
    parser.add_argument("--write", action="store_true", help="replace the committed copy")
    given = parser.parse_args(arguments)
    served = printed_schema()
    if given.write:
        COMMITTED.write_text(served, encoding="utf-8")
        return 0
    if not given.check:
        sys.stdout.write(served)
        return 0
    found = differences(COMMITTED.read_text(encoding="utf-8"), served)
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
