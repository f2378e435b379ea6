"""`migrate`, `serve`, `up`: the running service."""

from typing import Annotated

import typer

from app.cli.anchoring import until_signalled
from app.cli.config import chosen, open_registry
from app.cli.output import say, show
from app.migrate import newest_revision
from app.server import check_port, serve_api
from app.settings import PREFIX
from app.supervision import Supervisor


def migrate() -> None:
    """Bring the database to the present tables; other commands do this by themselves."""
    registry = open_registry()
    show({"database": registry.engine.url.render_as_string(), "revision": newest_revision()}, as_json=chosen.json)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.")] = None,
) -> None:
    """Serve the GraphQL API, alone."""
    registry = open_registry()
    serve_api(registry, host or registry.settings.host, registry.settings.port if port is None else port)


def up() -> None:
    """Run API, relay and indexer until Ctrl-C; each is a process of its own and is started again when it dies."""
    registry = open_registry()
    registry.check_chain()
    check_port(registry.settings.host, registry.settings.port)
    _ = registry.vault, registry.model  # key files made and model read before three processes need them
    home = str(registry.settings.home)
    supervisor = Supervisor(("--home", home), {f"{PREFIX}HOME": home})
    stop = until_signalled()
    for part in ("relay", "index", "serve"):
        supervisor.start(part)
    say(f"GraphQL at http://{registry.settings.host}:{registry.settings.port}/graphql (Ctrl-C ends)")
    try:
        supervisor.watch(stop)
    finally:
        supervisor.stop()
        say("ended")
