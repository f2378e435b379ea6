"""Importers of sanctions lists: whole or refused, and never an entity expanded."""

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.lists import (
    Alias,
    DateRange,
    EntryKind,
    ListEntry,
    ListMalformed,
    demonstration_list,
    read_ofac,
    read_signed,
    read_un,
)
from compliance.lists.ofac import parse_ofac
from compliance.lists.un import parse_un

SDN = (
    '7001,"ZHANG, Wei","individual","SDGT] [IRAN",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    '"DOB 14 Mar 1971; alt. DOB 1972; POB Dalian, China; nationality China; Passport E1234567 (China);'
    " a.k.a. 'BIG WEI';"
    ' National ID No. 210202197103140011 (China)"\n'
    '7002,"EXAMPLE TRADING CO., LTD.",-0- ,"IRAN",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n\x1a'
)
ALT = '7001,1,"aka","CHANG, Wei",-0- \n'


def test_an_ofac_person_keeps_births_aliases_identifiers_and_countries() -> None:
    person, company = parse_ofac(SDN, ALT, '7001,5,-0- ,"Dalian","China",-0- \n', '7001,"; Gender Male"\n')

    assert (person.entry_id, person.kind, person.name) == ("7001", EntryKind.PERSON, "ZHANG, Wei")
    assert person.births == (DateRange(date(1971, 3, 14), date(1971, 3, 14)), DateRange.of_year(1972))
    assert person.aliases == (Alias("CHANG, Wei"), Alias("BIG WEI", "aka", weak=True))
    assert person.identifiers == ("E1234567", "210202197103140011")
    assert person.countries == ("China",)
    assert person.programs == ("SDGT", "IRAN")
    assert person.remarks is not None
    assert person.remarks.endswith("; Gender Male")
    assert (company.kind, company.births, company.remarks) == (EntryKind.ORGANISATION, (), None)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (("", ""), "holds no party"),
        ((SDN, '9999,1,"aka","X",-0- \n'), "9999"),
        ((SDN.replace(",-0- \n\x1a", "\n"), ""), "11 columns"),
        ((SDN.strip("\x1a") + SDN, ""), "twice"),
    ],
    ids=["empty", "alias of nobody", "cut line", "doubled"],
)
def test_an_ofac_publication_that_is_not_whole_is_refused(parts: tuple[str, str], said: str) -> None:
    with pytest.raises(ListMalformed, match=said):
        list(parse_ofac(*parts))


def test_an_ofac_folder_is_read_with_its_day_as_version(tmp_path: Path) -> None:
    (tmp_path / "sdn.csv").write_bytes(SDN.encode())
    (tmp_path / "alt.csv").write_bytes(ALT.replace("CHANG", "CH\u00c1NG").encode("cp1252"))

    read = read_ofac(tmp_path, published_on=date(2026, 2, 27))

    assert (read.list_id, read.version, len(read.entries)) == ("OFAC_SDN", "2026-02-27", 2)
    assert read.entries[0].aliases[0].name == "CH\u00c1NG, Wei"
    with pytest.raises(ListMalformed, match=r"no sdn\.csv"):
        read_ofac(tmp_path / "absent")


PERSON = """<INDIVIDUAL><DATAID>{id}</DATAID>
<FIRST_NAME>RI</FIRST_NAME><SECOND_NAME>Won</SECOND_NAME><THIRD_NAME>Ho</THIRD_NAME>
<UN_LIST_TYPE>DPRK</UN_LIST_TYPE><REFERENCE_NUMBER>KPi.033</REFERENCE_NUMBER><NATIONALITY><VALUE>China</VALUE></NATIONALITY>
<INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>Little Ri</ALIAS_NAME></INDIVIDUAL_ALIAS>
<INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME/></INDIVIDUAL_ALIAS>
<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>EXACT</TYPE_OF_DATE><DATE>1964-07-17</DATE></INDIVIDUAL_DATE_OF_BIRTH>
<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1960</FROM_YEAR><TO_YEAR>1962</TO_YEAR></INDIVIDUAL_DATE_OF_BIRTH>
<INDIVIDUAL_DATE_OF_BIRTH><YEAR>1959</YEAR></INDIVIDUAL_DATE_OF_BIRTH><INDIVIDUAL_DATE_OF_BIRTH/>
<INDIVIDUAL_DOCUMENT><NUMBER>381310014</NUMBER></INDIVIDUAL_DOCUMENT><NAME_ORIGINAL_SCRIPT>李元浩</NAME_ORIGINAL_SCRIPT></INDIVIDUAL>"""


def un_list(body: str, head: str = '<CONSOLIDATED_LIST dateGenerated="2026-02-27T00:00:09.554Z">') -> io.BytesIO:
    return io.BytesIO(f"{head}{body}</CONSOLIDATED_LIST>".encode())


def test_a_un_person_keeps_every_form_of_birth_date_and_alias_quality() -> None:
    body = f"<INDIVIDUALS>{PERSON.format(id=1)}{PERSON.format(id=2)}</INDIVIDUALS><ENTITIES/>"
    generated, entries = parse_un(un_list(body))

    person = entries[0]
    assert (generated, len(entries), person.name) == (date(2026, 2, 27), 2, "RI Won Ho")
    assert person.aliases == (Alias("Little Ri", "Low", weak=True), Alias("李元浩", "original script"))
    assert person.births == (
        DateRange(date(1964, 7, 17), date(1964, 7, 17)),
        DateRange(date(1960, 1, 1), date(1962, 12, 31)),
        DateRange.of_year(1959),
    )
    assert (person.countries, person.identifiers) == (("China",), ("381310014",))


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("declaration", [BOMB, OUTSIDE, '<!DOCTYPE x SYSTEM "http://example.invalid/x.dtd">'])
@pytest.mark.parametrize("padding", [0, 65_530])
def test_a_document_type_declaration_is_refused_before_anything_is_expanded(declaration: str, padding: int) -> None:
    text = (
        f"<!--{'x' * padding}-->{declaration}<CONSOLIDATED_LIST><INDIVIDUALS>&a;&b;</INDIVIDUALS></CONSOLIDATED_LIST>"
    )
    with pytest.raises(ListMalformed, match="document type"):
        parse_un(io.BytesIO(text.encode()))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (un_list("<INDIVIDUALS/><ENTITIES/>"), "holds no"),
        (un_list(f"<INDIVIDUALS>{PERSON.format(id=1)}{PERSON.format(id=1)}</INDIVIDUALS>"), "repeated"),
        (un_list("<INDIVIDUALS><PERSON/></INDIVIDUALS>"), "PERSON, which is not known"),
        (un_list(f"<INDIVIDUALS>{PERSON.format(id=1)}</INDIVIDUALS>", "<CONSOLIDATED_LIST>"), "dateGenerated"),
        (io.BytesIO(un_list(f"<INDIVIDUALS>{PERSON.format(id=1)}").getvalue()[:-30]), "well-formed"),
        (io.BytesIO(b""), "well-formed"),
    ],
    ids=["nobody", "doubled", "renamed element", "no date", "cut", "empty"],
)
def test_a_un_file_that_is_not_whole_is_refused(file: io.BytesIO, said: str) -> None:
    with pytest.raises(ListMalformed, match=said):
        parse_un(file)


def test_a_long_un_list_is_read_in_pieces(tmp_path: Path) -> None:
    body = "".join(PERSON.format(id=i) for i in range(1_003))
    path = tmp_path / "consolidated.xml"
    path.write_bytes(un_list(f"<INDIVIDUALS>{body}</INDIVIDUALS>").getvalue())

    assert [entry.entry_id for entry in read_un(path).entries] == [str(i) for i in range(1_003)]


def signed(**changes: Any) -> str:
    content: dict[str, Any] = {
        "list_id": "CN_MPS",
        "version": "2026-1",
        "published_at": "2026-01-05",
        "entry_count": 1,
        "released_by": ["Li", "Wu"],
        "entries": [{"entry_id": "1", "kind": "PERSON", "name": "诸葛云海", "births": ["1971", "1972-02-03"]}],
    }
    return json.dumps(content | changes)


def test_a_released_list_is_read(tmp_path: Path) -> None:
    (tmp_path / "l.json").write_text(signed(), encoding="utf-8")
    read = read_signed(tmp_path / "l.json")

    assert (read.list_id, read.version, read.published_on) == ("CN_MPS", "2026-1", date(2026, 1, 5))
    assert read.entries[0].births == (DateRange.of_year(1971), DateRange(date(1972, 2, 3), date(1972, 2, 3)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        (signed(extra=1), "exactly"),
        (signed(released_by=["Li", " li "]), "two different people"),
        (signed(entry_count=2), "entry_count"),
        (signed(entries=[], entry_count=0), "entry_count"),
        (signed(entries=[{"entry_id": "1", "kind": "PERSON", "name": "X", "colour": "red"}]), "unknown keys"),
        (signed(entries=[{"entry_id": "1", "kind": "GHOST", "name": "X"}]), "unknown kind"),
        (signed(entries=[{"entry_id": "1", "kind": "PERSON", "name": "X"}] * 2, entry_count=2), "twice"),
        (signed(entries=[{"entry_id": "1", "kind": "PERSON", "name": "X", "births": ["soon"]}]), "not a date"),
        (signed(published_at="yesterday"), "not a date"),
    ],
)
def test_a_list_that_was_not_released_by_two_or_is_malformed_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "l.json").write_text(text, encoding="utf-8")
    with pytest.raises(ListMalformed, match=said):
        read_signed(tmp_path / "l.json")


def test_the_demonstration_list_says_what_it_is() -> None:
    demo = demonstration_list()

    assert demo.version == "demo"
    assert all((entry.remarks or "").startswith("Invented") for entry in demo.entries)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
days = st.dates(date(1900, 1, 1), date(2026, 1, 1))
entries = st.builds(
    ListEntry,
    entry_id=texts,
    kind=st.sampled_from(EntryKind),
    name=texts,
    aliases=st.tuples(st.builds(Alias, texts, texts, st.booleans())) | st.just(()),
    births=st.tuples(st.builds(DateRange, days, days)) | st.just(()),
    countries=st.tuples(texts) | st.just(()),
    identifiers=st.tuples(texts) | st.just(()),
    programs=st.tuples(texts) | st.just(()),
    listed_on=st.none() | days,
    remarks=st.none() | texts,
    addresses=st.tuples(st.tuples(st.none() | texts, st.none(), texts)) | st.just(()),
    details=st.dictionaries(texts, texts, max_size=2),
)


@given(entry=entries)
def test_an_entry_survives_being_stored(entry: ListEntry) -> None:
    assert ListEntry.from_json(json.loads(json.dumps(entry.to_json()))) == entry
