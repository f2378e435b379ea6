"""Loans that stand in a made-up chain state, and evidence of them."""

from typing import Any

from audit.disclosure import DisclosureProfile
from audit.evidence import build_evidence
from audit.loan_file import FileLoan, FileRecord
from audit.trust import Trust
from tests.support.audit_portfolio import CHAIN_ID, CONTRACT, FakeOpener, MadeLoan, Maker
from tests.support.audit_world import World


def file_loan(made: MadeLoan) -> FileLoan:
    row = made.row | {"borrower_key_id": made.borrower["key_id"]}
    days = ("next_unpaid_due_on", "disbursed_on", "matures_on")
    return FileLoan(
        **{name: row[name] for name in FileLoan._fields} | {name: row[name] and str(row[name]) for name in days}
    )


def file_records(made: MadeLoan) -> list[FileRecord]:
    return [
        FileRecord(**row | {"effective_on": str(row["effective_on"]), "posted_at": row["posted_at"].isoformat()})
        for row in made.records
    ]


def made_loans() -> list[MadeLoan]:
    maker = Maker(7)
    return [maker.loan(number, 10, anchored=None if number % 3 else 99) for number in range(12)]


LOANS = made_loans()
WORLD = World(LOANS, CHAIN_ID, CONTRACT)
TRUST = Trust.of(WORLD.binding, WORLD.block_hash, WORLD.number)
FULL = [made for made in LOANS if made.standing and made.standing[3] == made.row["head"] and len(made.records) >= 4]
OPENER = FakeOpener()


def evidence_of(
    made: MadeLoan, profile: DisclosureProfile = DisclosureProfile.AUDITOR, world: World = WORLD
) -> dict[str, Any]:
    proof = world.proof(made.row["loan_key"])
    return build_evidence(file_loan(made), file_records(made), proof, world.binding, profile, OPENER)


ORIGINAL = evidence_of(min((made for made in FULL if made.borrower["key_id"]), key=lambda made: len(made.records)))
OTHER = evidence_of(next(made for made in FULL if made.row["loan_key"].hex() not in ORIGINAL["loan"]["loan_key"]))
