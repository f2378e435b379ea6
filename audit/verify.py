"""The verifier of evidence: no network, no database, no package for cryptography; a node may be asked in addition."""

from collections.abc import Callable
from dataclasses import dataclass, field

from audit import chain_state, evidence_file
from audit.evidence_file import Evidence, EvidenceRecord, Malformed, OpenedField, VersionUnknown
from audit.keccak import keccak_256
from audit.ports import LiveChain
from audit.trust import Trust
from audit.verdict import Exit, Outcome, Step, Subject, Verdict
from registry.domain import commitments
from registry.domain.errors import RegistryError, WrongChain
from registry.domain.kinds import KindNotAllowed, LoanStatus, RecordKind, status_after
from registry.domain.records import field_names

_NAMES = (
    "file is read", "format is known", "trust settings match", "loan key", "record contents", "history",
    "block header", "contract account", "loan slots", "node agrees",
)  # fmt: skip


class _Failed(Exception):
    """A step did not hold; carries its sentence and what the command ends with."""

    def __init__(self, sentence: str, code: Exit = Exit.MISMATCH) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


class _Skipped(Exception):
    """A step could not be done; `code` says what that means for the verdict."""

    def __init__(self, sentence: str, code: Exit = Exit.NOT_CHECKED) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


@dataclass(slots=True)
class _Run:
    """The steps done so far and what later ones build on."""

    steps: list[Step] = field(default_factory=list)
    storage_root: bytes | None = None
    header: chain_state.Header | None = None
    folded: tuple[bytes, LoanStatus] | None = None

    def take(self, number: int, check: Callable[[], str]) -> None:
        """Do one step; whatever goes wrong inside it becomes its outcome."""
        outcome, code = Outcome.OK, Exit.VERIFIED
        try:
            sentence = check()
        except _Failed as failed:
            outcome, sentence, code = Outcome.FAILED, failed.sentence, failed.code
        except _Skipped as skipped:
            outcome, sentence, code = Outcome.NOT_CHECKED, skipped.sentence, skipped.code
        except (
            ValueError,
            ArithmeticError,
            RecursionError,
        ) as fault:  # what decoders and hashing raise on malformed values
            outcome, sentence, code = Outcome.FAILED, f"{str(fault)[:200].capitalize()}.", Exit.MISMATCH
        except Exception as fault:  # the verdict on a hostile file must be an answer, never a traceback
            outcome, sentence, code = Outcome.FAILED, f"The verifier failed: {type(fault).__name__}.", Exit.INTERNAL
        self.steps.append(Step(number, _NAMES[number - 1], outcome, sentence, code))


def verify(evidence: bytes, trust: Trust | None, live: LiveChain | None = None) -> Verdict:
    """The verdict on an evidence file; it never raises.

    1. The file is UTF-8 JSON without repeated names or fractions.
    2. It is evidence of a known version and has exactly that version's members.
    3. Chain id, genesis hash, contract, code hash and block are those of the trust settings.
    4. The loan key is the hash of lender and nonce.
    5. Each record has exactly the fields of its kind, in order; opened fields hash to their digests, and the
       digests with loan key, sequence and kind to the record's commitment.
    6. Folding the commitments from the chain and contract gives each record's head, and the kinds allow each other.
    7. The block header hashes to the block's hash and has its number.
    8. Under the header's state root, the contract's account has this code hash.
    9. Under the account's storage root, the loan's slots hold the standing shown, and the head and status folded.
    10. With a node: it is on this chain, has the block as a final one, and the loan has moved on no further.
    """
    run = _Run()
    loaded: dict[str, object] = {}
    read: list[Evidence] = []
    # 1
    run.take(1, lambda: _loaded(evidence, loaded))
    if run.steps[-1].outcome is not Outcome.OK:
        return _cut_short(run)
    # 2
    run.take(2, lambda: _typed(loaded, read))
    if not read:
        return _cut_short(run)
    given = read[0]
    run.take(3, lambda: _trusted(given, trust, live))
    run.take(4, lambda: _loan_key(given))
    run.take(5, lambda: _contents(given))
    run.take(6, lambda: _history(given, run))
    run.take(7, lambda: _header(given, run))
    run.take(8, lambda: _account(given, run))
    run.take(9, lambda: _slots(given, run))
    run.take(10, lambda: _node(given, live))
    return Verdict(tuple(run.steps), _subject(given))


def _cut_short(run: _Run) -> Verdict:
    for number in range(len(run.steps) + 1, len(_NAMES) + 1):
        step = Step(number, _NAMES[number - 1], Outcome.NOT_CHECKED, "The file could not be read.")
        run.steps.append(step)
    return Verdict(tuple(run.steps), None)


def _loaded(evidence: bytes, loaded: dict[str, object]) -> str:
    loaded.update(evidence_file.load(evidence))
    return "The file is well-formed JSON."


def _typed(loaded: dict[str, object], read: list[Evidence]) -> str:
    try:
        read.append(evidence_file.read(loaded))
    except VersionUnknown as unknown:
        raise _Skipped(f"{unknown}.") from None
    except Malformed as malformed:
        raise _Failed(f"The file is not evidence of version {evidence_file.VERSION}: {malformed}.") from None
    return f"The file is evidence of version {evidence_file.VERSION}."


def _trusted(given: Evidence, trust: Trust | None, live: LiveChain | None) -> str:
    # 3: anyone can invent a chain, so these come from outside the file.
    if trust is None:
        raise _Skipped("No trust settings were given: the file may describe an invented chain.")
    for name in ("chain_id", "genesis_hash", "contract", "code_hash", "block_hash", "block_number"):
        believed, said = getattr(trust, name), getattr(given, name)
        if believed is not None and believed != said:
            shown = f"{_shown(said)}, not {_shown(believed)}"
            raise _Failed(f"The evidence is for {name} {shown} as in the trust settings.", Exit.WRONG_CHAIN)
    if trust.block_hash is None and live is None:
        raise _Skipped("Chain and contract are the trusted ones; nothing vouches for the block.")
    if trust.block_hash is None:
        return "Chain and contract are the trusted ones; the node has to vouch for the block."
    return "Chain, contract and block are the trusted ones."


def _loan_key(given: Evidence) -> str:
    # 4
    if commitments.loan_key(given.lender_id, given.nonce) != given.loan_key:
        raise _Failed("The loan key is not that of this lender and nonce.")
    return f"The loan was registered by lender {given.lender_id}."


def _contents(given: Evidence) -> str:
    # 5
    if given.records[0].fields is None:
        return "The evidence shows no contents: commitments stand for them."
    for record in given.records:
        if commitments.commitment(given.loan_key, record.sequence, record.kind, _digests(record)) != record.commitment:
            raise _Failed(
                f"The contents of record {record.sequence} ({record.kind.name}) are not what was committed to."
            )
    return f"The contents of all {len(given.records)} records are what was committed to."


def _digests(record: EvidenceRecord) -> list[bytes]:
    fields = record.fields or ()
    if tuple(shown.name for shown in fields) != field_names(record.kind):
        raise _Failed(f"Record {record.sequence} does not have exactly the fields of a {record.kind.name} record.")
    return [
        commitments.field_digest(shown.salt, shown.name, commitments.canonical(shown.value))
        if isinstance(shown, OpenedField)
        else shown.digest
        for shown in fields
    ]


def _history(given: Evidence, run: _Run) -> str:
    # 6
    head, status = b"", LoanStatus.REGISTERED
    for position, record in enumerate(given.records):
        if record.sequence != position:
            raise _Failed(f"Record {position} says that it is number {record.sequence}.")
        if (record.kind is RecordKind.AGREEMENT) != (position == 0):
            raise _Failed(
                f"Record {position} is of kind {record.kind.name}: the agreement is the first and only the first."
            )
        if position == 0:
            head = commitments.first_head(given.chain_id, given.contract, given.loan_key, record.commitment)
        else:
            head = commitments.next_head(head, record.kind, record.commitment)
            status = _after(status, record)
        if head != record.head:
            raise _Failed(
                f"The head after record {position} ({record.kind.name}) is not the one folded from the records."
            )
    run.folded = (head, status)
    return f"The {len(given.records)} records follow each other to head {_shown(head)}."


def _after(status: LoanStatus, record: EvidenceRecord) -> LoanStatus:
    try:
        return status_after(status, record.kind)
    except KindNotAllowed as refused:
        raise _Failed(f"Record {record.sequence}: {refused}") from None


def _header(given: Evidence, run: _Run) -> str:
    # 7
    if keccak_256(given.header) != given.block_hash:
        raise _Failed("The header does not hash to the block's hash.")
    header = chain_state.read_header(given.header)
    if header.number != given.block_number:
        raise _Failed(f"The header is that of block {header.number}, not {given.block_number}.")
    run.header = header
    return f"The header is that of block {header.number}."


def _account(given: Evidence, run: _Run) -> str:
    # 8
    if run.header is None:
        raise _Skipped("Without a header there is no state root to prove the account under.", Exit.VERIFIED)
    account = chain_state.read_account(run.header.state_root, given.contract, given.account)
    if account.code_hash != given.code_hash:
        raise _Failed(f"The contract's code hashes to {_shown(account.code_hash)}, not {_shown(given.code_hash)}.")
    run.storage_root = account.storage_root
    return "The contract stands in this block with this code."


def _slots(given: Evidence, run: _Run) -> str:
    # 9
    if run.storage_root is None:
        raise _Skipped("Without the account there is no storage root to prove the slots under.", Exit.VERIFIED)
    stored = chain_state.read_loan(run.storage_root, given.loan_key, given.slots)
    if stored is None:
        raise _Failed("The chain has no such loan in this block.")
    if (stored.controller_id, stored.servicer_id) != (given.controller_id, given.servicer_id):
        raise _Failed(
            f"The chain has controller {stored.controller_id} and servicer {stored.servicer_id}, "
            f"not {given.controller_id} and {given.servicer_id}."
        )
    if stored.status != given.status:
        raise _Failed(f"The chain has status {stored.status}, not {given.status} ({given.status.name}).")
    if run.folded is None:
        raise _Skipped("The records could not be folded, so there is nothing to compare the head with.", Exit.VERIFIED)
    head, status = run.folded
    if stored.head != head:
        raise _Failed(f"The head on chain is {_shown(stored.head)}: records are missing, added or altered.")
    if stored.status != status:
        raise _Failed(f"The records lead to status {status.name}, the chain has {stored.status}.")
    return f"Head and standing on chain are those of these records: {status.name}."


def _node(given: Evidence, live: LiveChain | None) -> str:
    # 10
    if live is None:
        raise _Skipped("No node was asked.", Exit.VERIFIED)
    try:
        return _asked(given, live)
    except WrongChain as wrong:
        raise _Failed(str(wrong), Exit.WRONG_CHAIN) from None
    except RegistryError as failure:
        raise _Skipped(f"The node could not be asked: {failure}") from None


def _asked(given: Evidence, live: LiveChain) -> str:
    node = live.binding(given.contract)
    for name in ("chain_id", "genesis_hash", "code_hash"):
        if getattr(node, name) != getattr(given, name):
            raise _Failed(f"The node has another {name}: {_shown(getattr(node, name))}.", Exit.WRONG_CHAIN)
    final = live.final_number()
    block_hash = live.block_hash(given.block_number)
    if block_hash != given.block_hash and block_hash is not None and given.block_number <= final:
        raise _Failed(f"The node's block {given.block_number} is {_shown(block_hash)}, and it is final.")
    if block_hash != given.block_hash:
        raise _Failed(f"The node does not have this block {given.block_number}, or no longer.", Exit.NOT_FINAL)
    now = live.loan(given.contract, given.loan_key)
    if now is None:
        raise _Failed("The node knows no such loan.")
    if now.head != given.records[-1].head:
        raise _Failed(
            f"The loan has moved on since block {given.block_number}: its head is now {_shown(now.head)}. "
            "Ask for new evidence."
        )
    shown = (given.controller_id, given.servicer_id, int(given.status))
    if (now.controller_id, now.servicer_id, now.status) != shown:
        raise _Failed(
            f"The loan's standing has changed since block {given.block_number}: controller {now.controller_id}, "
            f"servicer {now.servicer_id}, status {now.status}."
        )
    if given.block_number > final:
        raise _Failed(f"Block {given.block_number} is not final yet; the last final one is {final}.", Exit.NOT_FINAL)
    return f"The node has block {given.block_number} as final, and the loan has the same head and standing now."


def _subject(given: Evidence) -> Subject:
    fields = [shown for record in given.records for shown in record.fields or ()]
    opened = sum(isinstance(shown, OpenedField) for shown in fields)
    return Subject(
        given.loan_key, given.lender_id, given.controller_id, given.servicer_id, given.status.name,
        given.records[-1].head, len(given.records), opened, len(fields) - opened, given.block_number, given.block_hash,
    )  # fmt: skip


def _shown(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
