"""Writes the reference pages that are made from the code: commands, settings, errors.

Each page keeps its text by hand; what stands between the two markers is made here. `--check` only compares.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import typer.main

from app.cli.root import app
from app.settings import PREFIX, Settings
from registry.domain.errors import RegistryError

DOCS = Path(__file__).parents[1] / "docs"
BEGIN, END = "<!-- made by scripts/generate_docs.py: begin -->", "<!-- made by scripts/generate_docs.py: end -->"
PACKAGES = ("registry", "chain", "indexer", "scoring", "compliance", "audit", "graphql_api", "app")
UNTOLD = frozenset({"install_completion", "show_completion"})


def cli_page() -> str:
    """Every command with its arguments and options."""
    root: Any = typer.main.get_command(app)
    parts = [_parameters(root), *(_command(path, command) for path, command in _commands("", root))]
    return "\n".join(parts)


def configuration_page() -> str:
    """Every setting: its variable, its default, what it does."""
    rows = ["| name | environment variable | default | what it does |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "none" if field.default is None else f"`{field.default}`"
        rows.append(f"| `{name}` | `{PREFIX}{name.upper()}` | {default} | {field.description or ''} |")
    return "\n".join(rows) + "\n"


def errors_page() -> str:
    """Every error code: exit code, whether trying again may help, what it means."""
    rows = ["| code | exit | try again | what it means | where |", "|---|---:|---|---|---|"]
    for code, kinds in sorted(error_codes().items()):
        meaning = " / ".join(dict.fromkeys(_first_sentence(kind) for kind in kinds))
        packages = ", ".join(dict.fromkeys(kind.__module__.split(".")[0] for kind in kinds))
        again = "yes" if any(kind.retryable for kind in kinds) else "no"
        exits = ", ".join(str(number) for number in sorted({kind.exit_code for kind in kinds}))
        rows.append(f"| `{code}` | {exits} | {again} | {meaning} | {packages} |")
    return "\n".join(rows) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "configuration.md": configuration_page,
    "errors.md": errors_page,
}


@cache
def error_codes() -> dict[str, list[type[RegistryError]]]:
    """The error classes of the project by their code; those that hand on the code of their cause are left out."""
    for package in PACKAGES:
        for found in walk_packages(import_module(package).__path__, f"{package}."):
            if not found.name.startswith("app.migrations") and not found.name.endswith("__main__"):
                import_module(found.name)
    by_code: dict[str, list[type[RegistryError]]] = {}
    for kind in sorted({RegistryError, *_below(RegistryError)}, key=lambda kind: f"{kind.__module__}.{kind.__name__}"):
        if isinstance(kind.code, str) and kind.__module__.split(".")[0] in PACKAGES:
            by_code.setdefault(kind.code, []).append(kind)
    return by_code


def page_with(text: str, made: str) -> str:
    """The page with what stands between its markers replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{made}\n{END}{after}"


def _below(kind: type[RegistryError]) -> Iterator[type[RegistryError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def _first_sentence(kind: type[RegistryError]) -> str:
    said = " ".join((kind.__doc__ or "").split())
    return said.split(". ")[0].rstrip(".").replace("|", "\\|") + "."


def _commands(path: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name in sorted(group.commands):
        command = group.commands[name]
        yield f"{path} {name}".strip(), command
        if hasattr(command, "commands"):
            yield from _commands(f"{path} {name}".strip(), command)


def _command(path: str, command: Any) -> str:
    arguments = [p.name.upper() for p in command.params if p.param_type_name == "argument"]
    heading = f"### `loan-registry {' '.join([path, *arguments])}`"
    if hasattr(command, "commands"):
        heading = f"### `loan-registry {path} …`"
    return f"{heading}\n\n{command.help}\n{_parameters(command)}"


def _parameters(command: Any) -> str:
    lines = []
    for parameter in command.params:
        if parameter.name in UNTOLD:
            continue
        if parameter.param_type_name == "argument":
            names = f"`{parameter.name.upper()}`"
        else:
            names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
        shown = _default(parameter)
        lines.append(f"- {names}: {parameter.help or 'see above'}{f' Default: `{shown}`.' if shown else ''}")
    return "\n" + "\n".join(lines) + "\n" if lines else ""


def _default(parameter: Any) -> str:
    default = parameter.default
    if parameter.param_type_name == "argument" or default is None or isinstance(default, bool) or callable(default):
        return ""
    return str(getattr(default, "value", default))


def main(arguments: list[str]) -> int:
    """Write the pages, or say which are not what the code says."""
    stale = []
    for name, make in PAGES.items():
        text = (DOCS / name).read_text(encoding="utf-8")
        wanted = page_with(text, make())
        if text != wanted and "--check" in arguments:
            stale.append(name)
        elif text != wanted:
            (DOCS / name).write_text(wanted, encoding="utf-8")
    if stale:
        sys.stderr.write(f"docs/{', docs/'.join(stale)}: not what the code says; run `make docs`\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
