"""The indexer on real Anvil: whatever happened, the mirror is the fold of the raw logs, and the contract agrees."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine

from chain.artifacts import load_artifact
from chain.binding import CodeMissing, GenesisDiffers, bind
from chain.devnet import Devnet
from chain.finality import FinalityKind, FinalityRule
from chain.rpc import Rpc
from indexer import queries
from indexer.errors import FinalBlockChanged, MirrorBoundElsewhere
from indexer.indexer import Indexer, IndexSettings
from registry.domain.chain_binding import ChainBinding
from registry.domain.errors import WrongChain
from tests.support.devnet import TOOLS, Chain, install_tools
from tests.support.fold import fold_node
from tests.support.index_process import binding_text
from tests.support.mirrors import NewMirror, digest_of, fixed_clock, mirror, new_mirror, position
from tests.support.postgres import postgres
from tests.support.registry_actor import LENDERS, RegistryActor

__all__ = ["mirror", "new_mirror", "postgres"]

DEPTH = 65


@pytest.fixture(scope="module")
def devnet_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    install_tools()
    home = tmp_path_factory.mktemp("indexed")
    Devnet.up(home, TOOLS)
    yield home
    Devnet.down(home)


@pytest.fixture
def actor(devnet_home: Path) -> Iterator[RegistryActor]:
    """A registry of the test's own, newly deployed, with three lenders admitted."""
    chain = Chain(Devnet.status(devnet_home), load_artifact())
    actor = RegistryActor(chain, seed=7)
    actor.admit()
    yield actor
    chain.rpc.close()


def binding_of(actor: RegistryActor) -> ChainBinding:
    return bind(actor.chain.rpc, actor.chain.address_bytes, deployed_block=1)


def indexer_of(
    engine: Engine, actor: RegistryActor, *, depth: int = DEPTH, binding: ChainBinding | None = None
) -> Indexer:
    settings = IndexSettings(poll_seconds=0.01, logs_target=40, patience_polls=3)
    finality = FinalityRule(FinalityKind.DEPTH, depth)
    bound = binding or binding_of(actor)
    return Indexer(engine, actor.chain.rpc, bound, finality, settings, fixed_clock)


def assert_mirrored(engine: Engine, actor: RegistryActor) -> None:
    """The mirror stands at the node's head, equals an independent fold, and the contract's own views agree."""
    found = position(engine)
    assert (found.block_number, found.block_hash) == (actor.height(), actor.block_hash(actor.height()))
    fold = fold_node(actor.chain.info.url, actor.chain.address_bytes)
    assert digest_of(engine) == fold.digest()
    with queries.snapshot(engine) as connection:
        loans = queries.loans(connection, actor.keys)
        liens = queries.liens(connection, asset_tags=actor.tags)
        offers = queries.offers(connection, actor.keys)
        lenders = queries.lenders(connection)
    for key in actor.keys:
        loan = loans.get(key)
        expected = (loan.controller_id, loan.servicer_id, loan.status) if loan else (0, 0, 0)
        assert actor.chain.view("standing", key) == expected
        assert actor.chain.head(key) == (loan.head if loan else bytes(32))
        offer = offers.get(key)
        expected_offer = (offer.to_lender_id, offer.servicer_id, offer.expires_at) if offer else (0, 0, 0)
        assert actor.chain.view("offer", key) == expected_offer
    standing = {lien.asset_tag: lien.loan_key for lien in liens}
    assert {tag: actor.chain.view("lien", tag) for tag in actor.tags} == {
        tag: standing.get(tag, bytes(32)) for tag in actor.tags
    }
    assert {number: actor.chain.view("lenderHead", number) for number in LENDERS} == {
        number: lenders[number].head for number in LENDERS
    }


def test_a_backfilled_mirror_is_the_fold_of_the_raw_logs(mirror: Engine, actor: RegistryActor) -> None:
    actor.run(40)

    report = indexer_of(mirror, actor).catch_up(30)

    assert_mirrored(mirror, actor)
    assert report.records == len(fold_node(actor.chain.info.url, actor.chain.address_bytes).records) > 40


@pytest.mark.parametrize("replace_transactions", [False, True], ids=["dropped", "replaced"])
@pytest.mark.parametrize("depth", [1, 3, 10])
def test_a_reorganisation_is_followed(
    mirror: Engine, actor: RegistryActor, depth: int, replace_transactions: bool
) -> None:
    actor.run(20)
    indexer = indexer_of(mirror, actor)
    indexer.catch_up(30)
    before = digest_of(mirror)

    actor.reorganise(depth, replace=replace_transactions)
    report = indexer.catch_up(30)

    assert report.rewound == depth
    assert_mirrored(mirror, actor)
    assert digest_of(mirror) != before
    actor.run(5)
    indexer.catch_up(30)
    assert_mirrored(mirror, actor)


def test_a_reorganisation_while_the_indexer_was_down_is_followed(mirror: Engine, actor: RegistryActor) -> None:
    actor.run(20)
    indexer_of(mirror, actor).catch_up(30)

    actor.reorganise(8, replace=True)
    actor.run(6)

    report = indexer_of(mirror, actor).catch_up(30)
    assert report.rewound == 8
    assert_mirrored(mirror, actor)


def test_a_chain_shortened_without_replacement_is_followed(mirror: Engine, actor: RegistryActor) -> None:
    actor.run(15)
    indexer = indexer_of(mirror, actor)
    indexer.catch_up(30)

    actor.chain.rpc.call("anvil_rollback", 5)
    assert indexer.run_once().rewound == 0  # it may only lag: wait
    assert position(mirror).head_number == actor.height()

    report = indexer.catch_up(30)
    assert report.rewound == 5
    assert_mirrored(mirror, actor)
    actor.run(7)
    indexer.catch_up(30)
    assert_mirrored(mirror, actor)


@pytest.mark.parametrize("point", ["K8", "K9", "K10"])
def test_a_killed_indexer_leaves_a_true_mirror_and_goes_on(mirror: Engine, actor: RegistryActor, point: str) -> None:
    actor.run(12)
    if point == "K10":
        assert run_process(mirror, actor) == 0
        actor.reorganise(4, replace=True)

    killed = run_process(mirror, actor, point)

    assert killed == -signal.SIGKILL
    if point != "K10":  # after K10 the node no longer has what the mirror rightly still shows
        kept = position(mirror).block_number
        fold = fold_node(actor.chain.info.url, actor.chain.address_bytes, kept)
        assert digest_of(mirror) == fold.digest()
        assert (kept > 0) == (point == "K9")
    assert run_process(mirror, actor) == 0
    assert_mirrored(mirror, actor)


def run_process(engine: Engine, actor: RegistryActor, failpoint: str | None = None) -> int:
    """An indexer in a process of its own; its exit status."""
    database = engine.url.render_as_string(hide_password=False)
    arguments = [actor.chain.info.url, database, binding_text(binding_of(actor)), str(DEPTH)]
    environment = {**os.environ, **({"LOAN_REGISTRY_FAILPOINT": failpoint} if failpoint else {})}
    command = [sys.executable, "-m", "tests.support.index_process", *arguments]
    return subprocess.run(command, check=False, env=environment, cwd=Path(__file__).parents[2], timeout=120).returncode


@pytest.mark.parametrize("seed", range(3))
def test_random_schedules_converge(mirror: Engine, actor: RegistryActor, seed: int) -> None:
    random = Random(seed)
    actor.random = Random(seed + 100)
    actor.run(12)
    indexer = indexer_of(mirror, actor)
    room = 12  # blocks since the lenders were admitted, which the schedule keeps
    for _ in range(25):
        step = random.choice(["act", "act", "index", "index", "reorg", "rollback", "restart", "mine"])
        depth = random.randint(1, max(1, room - 1))
        if step == "act":
            actor.run(3)
            room += 3
        elif step == "index":
            indexer.run_once()
        elif step == "restart":
            indexer = indexer_of(mirror, actor)
        elif step == "mine":
            actor.chain.rpc.call("anvil_mine", "0x4")
            room += 4
        elif step == "reorg" and room > 2:
            actor.reorganise(depth, replace=random.random() < 0.5)
        elif step == "rollback" and room > 2:
            actor.chain.rpc.call("anvil_rollback", depth)
            room -= depth

    indexer.catch_up(30)

    assert_mirrored(mirror, actor)


def test_a_change_of_a_final_block_stops_the_indexer_and_rewrites_nothing(mirror: Engine, actor: RegistryActor) -> None:
    actor.run(12)
    indexer = indexer_of(mirror, actor, depth=3)
    indexer.catch_up(30)
    before, digest = position(mirror), digest_of(mirror)

    actor.reorganise(4, replace=True)

    for again in (indexer, indexer_of(mirror, actor, depth=3)):
        with pytest.raises(FinalBlockChanged) as stop:
            again.catch_up(30)
        assert stop.value.exit_code == 3
        assert (stop.value.number, stop.value.mirrored) == (before.final_number, before.final_hash)
        assert stop.value.found == actor.block_hash(before.final_number)
    assert (position(mirror), digest_of(mirror)) == (before, digest)


def test_a_node_on_another_chain_is_refused_before_anything_is_written(
    new_mirror: NewMirror, actor: RegistryActor, tmp_path: Path
) -> None:
    mirror = new_mirror()
    actor.run(3)
    binding = binding_of(actor)
    indexer_of(mirror, actor).catch_up(30)
    before, digest = position(mirror), digest_of(mirror)
    other = Devnet.up(tmp_path / "other", TOOLS)
    try:
        with Rpc(other.url) as rpc:
            same_id = replace(binding, chain_id=other.chain_id)
            for bound in (binding, same_id):
                finality = FinalityRule(FinalityKind.DEPTH, DEPTH)
                stranger = Indexer(mirror, rpc, bound, finality, IndexSettings(), fixed_clock)
                with pytest.raises(WrongChain) as refusal:
                    stranger.run_once()
                assert refusal.value.exit_code == 7
            fresh = new_mirror()
            with pytest.raises(GenesisDiffers):
                Indexer(fresh, rpc, same_id, finality, IndexSettings(), fixed_clock).run_once()
    finally:
        Devnet.down(tmp_path / "other")
    assert (position(mirror), digest_of(mirror)) == (before, digest)


def test_a_mirror_of_another_contract_is_refused(mirror: Engine, actor: RegistryActor) -> None:
    indexer_of(mirror, actor).catch_up(30)
    before = position(mirror)
    second = Chain(actor.chain.info, load_artifact())
    elsewhere = bind(second.rpc, second.address_bytes, deployed_block=1)

    with pytest.raises(MirrorBoundElsewhere) as refusal:
        indexer_of(mirror, actor, binding=elsewhere).run_once()

    assert refusal.value.exit_code == 7
    assert position(mirror) == before
    second.rpc.close()


def test_a_binding_without_code_behind_it_is_refused(mirror: Engine, actor: RegistryActor) -> None:
    nobody = replace(binding_of(actor), contract=bytes.fromhex("ee" * 20))

    with pytest.raises(CodeMissing):
        indexer_of(mirror, actor, binding=nobody).run_once()

    with queries.snapshot(mirror) as connection:
        assert queries.cursor(connection) is None
