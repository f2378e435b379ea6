"""The command line: one module for each noun, one place that turns errors into messages and exit codes."""

import os
import sys
from typing import Annotated, NoReturn

import typer
from sqlalchemy.exc import DatabaseError, OperationalError
from typer.exceptions import TyperException

from app.cli import access, anchoring, audit, config, data, decision, demo, devnet, doctor, outbox, serving
from app.cli.output import show_error
from registry.domain.errors import InvalidInput, RegistryError, Unavailable

INTERRUPTED = 130

app = typer.Typer(
    name="loan-registry",
    help="A shared, tamper-evident registry of loans.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(devnet.app, name="devnet")
app.add_typer(outbox.app, name="outbox")
app.add_typer(access.app, name="keys")
app.add_typer(config.app, name="config")
app.add_typer(decision.app, name="decision")
app.add_typer(data.lists, name="lists")
app.command("migrate")(serving.migrate)
app.command("deploy")(anchoring.deploy)
app.command("admit")(anchoring.admit)
app.command("relay")(anchoring.relay)
app.command("index")(anchoring.index)
app.command("up")(serving.up)
app.command("serve")(serving.serve)
app.command("import")(data.import_tape)
app.command("simulate")(data.simulate)
app.command("reconcile")(audit.reconcile)
app.command("evidence")(audit.evidence)
app.command("verify")(audit.verify)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)


@app.callback()
def options(
    json: Annotated[bool, typer.Option("--json", help="Write results and errors as JSON.")] = False,
    home: Annotated[str | None, typer.Option(help="Where the registry keeps its files (default: var).")] = None,
) -> None:
    """Options before the command hold for every command."""
    config.chosen.json = json
    if home is not None:
        config.chosen.home = home


def main() -> None:
    """Run the command line; never ends with a traceback for something the user can act on."""
    os.umask(0o077)  # what is written here is about people's loans: for its owner's eyes
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
    except typer.Abort:
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except RegistryError as refused:
        _end(refused.code, str(refused), refused.exit_code)
    except TyperException as misused:
        _end("USAGE", misused.format_message(), misused.exit_code)
    except DatabaseError as fault:
        if type(fault) not in {OperationalError, DatabaseError}:
            raise
        _end("DATABASE_UNAVAILABLE", f"The database cannot be used: {_first_line(fault.orig)}.", Unavailable.exit_code)
    except OSError as fault:
        if fault.filename is None:
            raise
        _end("FILE_UNUSABLE", f"{fault.filename} cannot be used: {fault.strerror}.", InvalidInput.exit_code)


def _end(code: str, message: str, exit_code: int) -> NoReturn:
    # An unknown command is refused before the options in front of it are taken.
    show_error(code, message, as_json=config.chosen.json or "--json" in sys.argv[1:])
    sys.exit(exit_code)


def _first_line(fault: object) -> str:
    return str(fault).split("\n", maxsplit=1)[0].rstrip(".")


__all__ = ["app", "main"]
