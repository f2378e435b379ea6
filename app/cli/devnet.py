"""`devnet`: the local chain; nothing else needs Anvil."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.config import chosen, open_registry
from app.cli.output import show
from chain.devnet import Devnet, DevnetInfo

app = typer.Typer(help="The local chain: one Anvil process for this home.", no_args_is_help=True)


@app.command()
def up(
    block_time: Annotated[
        int | None, typer.Option(min=1, help="Seconds between blocks; default: one a transaction.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port; default: chosen by the system.")] = None,
) -> None:
    """Start the chain, or say where it runs; it goes on from its saved state."""
    settings = open_registry().settings
    _show(Devnet.up(settings.devnet_home, settings.tools, block_time=block_time, port=port))


@app.command()
def status() -> None:
    """Where the chain runs."""
    _show(Devnet.status(open_registry().settings.devnet_home))


@app.command()
def snapshot(file: Annotated[Path, typer.Argument(help="Where to write the chain's state.")]) -> None:
    """Save the running chain to a file."""
    show({"saved": str(Devnet.snapshot(open_registry().settings.devnet_home, file))}, as_json=chosen.json)


@app.command()
def reorg(depth: Annotated[int, typer.Argument(min=1, help="How many blocks to replace.")]) -> None:
    """Replace the newest blocks by empty ones: what a reorganisation does to the registry can be watched."""
    head = Devnet.reorg(open_registry().settings.devnet_home, depth)
    show({"replaced": depth, "head": head}, as_json=chosen.json)


@app.command()
def mine(blocks: Annotated[int, typer.Argument(min=1, help="How many blocks.")]) -> None:
    """Mine blocks, so that older ones become final."""
    show({"head": Devnet.mine(open_registry().settings.devnet_home, blocks)}, as_json=chosen.json)


@app.command()
def down() -> None:
    """Stop exactly the process that `up` started; its state is saved."""
    info = Devnet.down(open_registry().settings.devnet_home)
    show({"stopped": info.pid}, as_json=chosen.json)


def _show(info: DevnetInfo) -> None:
    show({"url": info.url, "chain_id": info.chain_id, "pid": info.pid}, as_json=chosen.json)
