"""An indexer in a process of its own, to be killed: `-m tests.support.index_process NODE DATABASE BINDING DEPTH`."""

import json
import sys

from chain.finality import FinalityKind, FinalityRule
from chain.rpc import Rpc
from indexer.indexer import Indexer, IndexSettings
from registry.domain.chain_binding import ChainBinding
from registry.storage.engine import open_engine
from tests.support.mirrors import fixed_clock


def binding_text(binding: ChainBinding) -> str:
    values = [binding.chain_id, binding.genesis_hash.hex(), binding.contract.hex(), binding.code_hash.hex()]
    return json.dumps([*values, binding.deployed_block])


def main() -> None:
    url, database, text, depth = sys.argv[1:]
    chain_id, genesis, contract, code, deployed = json.loads(text)
    binding = ChainBinding(chain_id, bytes.fromhex(genesis), bytes.fromhex(contract), bytes.fromhex(code), deployed)
    finality = FinalityRule(FinalityKind.DEPTH, int(depth))
    settings = IndexSettings(poll_seconds=0.05, logs_target=20)
    engine = open_engine(database)
    with Rpc(url) as rpc:
        Indexer(engine, rpc, binding, finality, settings, fixed_clock).catch_up(60)
    engine.dispose()


if __name__ == "__main__":
    main()
