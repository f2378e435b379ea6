"""Every module and public class says what it is."""

import ast

from tests.architecture.sources import modules

FIRST_LINE_WORDS_MIN = 2


def test_every_module_says_what_it_is() -> None:
    mute = [
        module.place
        for module in (*modules(), *modules("tests", "benchmarks", "scripts"))
        if module.tree.body and not _says(module.tree)
    ]
    assert mute == []


def test_every_public_class_says_what_it_is() -> None:
    mute = [
        f"{module.place}:{node.lineno} {node.name}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not _says(node)
    ]
    assert mute == []


def _says(node: ast.Module | ast.ClassDef) -> bool:
    said = ast.get_docstring(node)
    return said is not None and len(said.split()) >= FIRST_LINE_WORDS_MIN
