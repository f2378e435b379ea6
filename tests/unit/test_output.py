"""How commands speak: JSON that parses whatever is in it, lines that are not folded, text that stays as it is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.output import show, show_error, show_table, write_json

# Text as it may stand in a tape or a name: brackets and colons that a terminal library takes for markup.
TRICKY = ["[red]x[/red]", "[/]", ":smile:", "[link=http://x]y", "中国银行", "a" * 900, "\\[x]"]
texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20)
values = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), texts)


def written(capfdbinary: pytest.CaptureFixture[bytes]) -> tuple[str, str]:
    out, err = capfdbinary.readouterr()
    return out.decode(), err.decode()


@given(result=st.dictionaries(texts, values, max_size=5))
def test_a_result_as_json_is_one_line_that_reads_back(result: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        lines = _captured(patched)
        show(result, as_json=True)
        write_json([result])

    assert [json.loads(line) for line in lines] == [result, [result]]


@given(rows=st.lists(st.tuples(values, values), max_size=4))
def test_a_table_as_json_is_objects_by_column(rows: list[tuple[object, object]]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        lines = _captured(patched)
        show_table(("a", "b"), rows, as_json=True)

    assert [json.loads(line) for line in lines] == [[{"a": left, "b": right} for left, right in rows]]


def _captured(patched: pytest.MonkeyPatch) -> list[bytes]:
    """The lines that go to standard output from now on."""
    lines: list[bytes] = []

    class Buffer:
        write = lines.append

        def flush(self) -> None: ...

    class Stream:
        buffer = Buffer()

    patched.setattr("sys.stdout", Stream())
    return lines


@pytest.mark.parametrize("text", TRICKY)
def test_text_is_shown_as_it_is_on_one_line(capfdbinary: pytest.CaptureFixture[bytes], text: str) -> None:
    show({"some_name": text}, as_json=False)
    show_table(("column_one", "two"), [(text, None)], as_json=False)

    (line, header, row) = written(capfdbinary)[0].splitlines()

    assert line.rstrip() == f"some name  {text}"
    assert header.split() == ["column", "one", "two"]
    assert row.rstrip() == text


@pytest.mark.parametrize("text", TRICKY)
def test_an_error_is_one_line_with_its_code(capfdbinary: pytest.CaptureFixture[bytes], text: str) -> None:
    show_error("SOME_CODE", text, as_json=False)

    assert written(capfdbinary) == ("", f"SOME_CODE: {text}\n")


@pytest.mark.parametrize("text", TRICKY)
def test_an_error_as_json_is_one_object(capfdbinary: pytest.CaptureFixture[bytes], text: str) -> None:
    show_error("SOME_CODE", text, as_json=True)

    out, err = written(capfdbinary)

    assert (out, json.loads(err)) == ("", {"error": "SOME_CODE", "message": text})
    assert err.count("\n") == 1
