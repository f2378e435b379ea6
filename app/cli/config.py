"""`config`: which settings are in force and where each comes from; also what the options before a command chose."""

from dataclasses import dataclass

import typer

from app.cli.output import show_table
from app.logs import configure_logs
from app.settings import load_settings, origins
from app.wiring import Registry

app = typer.Typer(help="Settings in force.", no_args_is_help=True)


@dataclass
class Chosen:
    """The options before the command."""

    json: bool = False
    home: str | None = None

    @property
    def settings(self) -> dict[str, str]:
        """The settings among the options."""
        return {"home": self.home} if self.home is not None else {}


chosen = Chosen()


def open_registry() -> Registry:
    """The installation the settings name, with logs set up."""
    settings = load_settings(**chosen.settings)
    configure_logs(settings.log_format, settings.log_level)
    return Registry(settings)


@app.command("show")
def show_config() -> None:
    """Every setting with its value and origin."""
    rows = [
        (name, value, origin) for name, (value, origin) in origins(open_registry().settings, chosen.settings).items()
    ]
    show_table(("setting", "value", "origin"), rows, as_json=chosen.json)
