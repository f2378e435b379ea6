"""`doctor`: what this installation has and what it lacks, with the command that mends it."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from app.cli.config import chosen, open_registry
from app.cli.output import show_table
from app.migrate import newest_revision, revision_of
from app.wiring import Registry
from chain.binding import check_binding
from chain.devnet import anvil_binary
from registry.domain.errors import RegistryError

FREE_BYTES_MIN = 1_000_000_000
OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing looked at: ok, warn or fail, what was seen, and how to mend it."""

    what: str
    state: str
    seen: str
    repair: str = ""


def doctor() -> int:
    """Look at everything this installation needs; ends with 1 when something fails."""
    registry = open_registry()
    lines = [_line(what, look, registry) for what, look in _LOOKS.items()]
    rows = [(line.what, line.state, line.seen, line.repair) for line in lines]
    show_table(("what", "state", "seen", "repair"), rows, as_json=chosen.json)
    return int(any(line.state == FAIL for line in lines))


def _line(what: str, look: Callable[[Registry], Line], registry: Registry) -> Line:
    try:
        return look(registry)
    except RegistryError as refused:
        return Line(what, FAIL, f"{refused.code}: {refused}")
    except OSError as fault:
        return Line(what, FAIL, str(fault))


def _python(_: Registry) -> Line:
    good = sys.version_info >= (3, 11)
    return Line(
        "python", OK if good else FAIL, platform.python_version(), "" if good else "install Python 3.11 or newer"
    )


def _node(_: Registry) -> Line:
    path = shutil.which("node")
    if path is None:
        return Line("node", WARN, "missing", "install Node.js 20 or newer (only the devnet and GraphiQL need it)")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    return Line("node", OK, version)


def _anvil(registry: Registry) -> Line:
    return Line("anvil", OK, str(anvil_binary(registry.settings.tools)))


def _disk(registry: Registry) -> Line:
    registry.settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(registry.settings.home).free
    repair = "" if free > FREE_BYTES_MIN else "make room for the database and the chain"
    return Line("disk", OK if not repair else WARN, f"{free // 10**6} MB free in {registry.settings.home}", repair)


def _database(registry: Registry) -> Line:
    with registry.engine.connect() as connection:
        at, newest = revision_of(connection), newest_revision()
    repair = "" if at == newest else "loan-registry migrate"
    return Line("database", OK if not repair else FAIL, f"{registry.engine.dialect.name} at revision {at}", repair)


def _keys(registry: Registry) -> Line:
    present = len(list(registry.keyring.folder.glob("lender-*.key")))
    _ = registry.vault
    return Line(
        "keys", OK if present else WARN, f"vault opens, {present} lender keys", "" if present else "loan-registry admit"
    )


def _model(registry: Registry) -> Line:
    return Line("model", OK, f"{registry.model.version}, sha256 {registry.model.hash[:16]}…")


def _chain(registry: Registry) -> Line:
    check_binding(registry.rpc, registry.binding)
    return Line("chain", OK, f"chain {registry.binding.chain_id}, contract 0x{registry.binding.contract.hex()}")


_LOOKS: dict[str, Callable[[Registry], Line]] = {
    "python": _python,
    "node": _node,
    "anvil": _anvil,
    "disk": _disk,
    "database": _database,
    "keys": _keys,
    "model": _model,
    "chain": _chain,
}
