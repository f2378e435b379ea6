"""The composition root: from settings to the parts of a running registry, each opened when first asked for."""

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Engine

from app.anchors import AnchorsInSql
from app.clock import SystemClock
from app.migrate import migrate
from app.screening import LoadedScreener
from app.settings import Settings
from app.underwriting import Underwriting
from chain.binding import check_binding
from chain.devnet import Devnet
from chain.relay import Relay
from chain.relay_settings import RelaySettings
from chain.rpc import Rpc
from chain.signer import KeyRing
from compliance.rulebook import RuleBook
from compliance.vault import Vault, create_master_key
from indexer.indexer import Indexer, IndexSettings
from registry.domain.access import Actor, Request, Role
from registry.domain.chain_binding import ChainBinding
from registry.ports import Facilities
from registry.storage.bindings import SqlBindings
from registry.storage.engine import open_engine, reading
from registry.storage.unit_of_work import SqlUnitOfWork
from scoring.model import DEFAULT_MODEL_PATH, Model
from scoring.policy import Policy

MASTER_KEY = "master.key"
CONSORTIUM_KEY = "consortium.key"
KEY_STORE = "keys.sqlite3"


@dataclass(frozen=True)
class Registry:
    """One installation: its database, vault, node, model and use cases."""

    settings: Settings

    @cached_property
    def engine(self) -> Engine:
        """The database, migrated to the present tables."""
        self.settings.home.mkdir(parents=True, exist_ok=True)
        engine = open_engine(self.settings.database)
        migrate(engine)
        return engine

    @cached_property
    def clock(self) -> SystemClock:
        return SystemClock()

    @cached_property
    def vault(self) -> Vault:
        """The vault; its key files are made with its key store and never put into the database.

        With a key store there, a key file that is missing is lost, not new: opening says so.
        """
        folder = self.settings.keys
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        store, master, consortium = folder / KEY_STORE, folder / MASTER_KEY, folder / CONSORTIUM_KEY
        if not store.exists():
            for path in (master, consortium):
                if not path.exists():
                    create_master_key(path)
        return Vault.from_files(store, master, consortium)

    @cached_property
    def keyring(self) -> KeyRing:
        return KeyRing(self.settings.keys)

    @cached_property
    def rpc(self) -> Rpc:
        """The node: the URL that is set, or the devnet of this home, proven to be ours."""
        return Rpc(self.settings.rpc_url or Devnet.status(self.settings.devnet_home).url)

    @cached_property
    def binding(self) -> ChainBinding:
        with reading(self.engine).connect() as connection:
            return SqlBindings(connection).get()

    @cached_property
    def model(self) -> Model:
        return Model.load(self.settings.model_path or DEFAULT_MODEL_PATH)

    @cached_property
    def policy(self) -> Policy:
        return Policy.load(self.settings.policy_path) if self.settings.policy_path else Policy.shipped()

    @cached_property
    def underwriting(self) -> Underwriting:
        return Underwriting(self.model, self.policy, RuleBook.load(), LoadedScreener(self.engine))

    @cached_property
    def facilities(self) -> Facilities:
        return Facilities(self.clock, self.vault, self.underwriting, AnchorsInSql(self.engine))

    def unit_of_work(self) -> SqlUnitOfWork:
        return SqlUnitOfWork(self.engine)

    def relay(self) -> Relay:
        settings = RelaySettings(
            records_per_transaction=self.settings.relay_records, finality=self.settings.finality_rule
        )
        return Relay(self.engine, self.rpc, self.binding, self.keyring, settings, self.clock)

    def indexer(self) -> Indexer:
        return Indexer(
            self.engine,
            self.rpc,
            self.binding,
            self.settings.finality_rule,
            IndexSettings(poll_seconds=self.settings.index_poll_seconds),
            self.clock.now,
        )

    def check_chain(self) -> None:
        """Refuse to go on unless the node serves the chain and contract this registry is bound to."""
        check_binding(self.rpc, self.binding)


def operator(name: str = "operator", lender_id: int | None = None) -> Actor:
    """The one at the command line; with a lender, acting for it."""
    return Actor(name, Role.LENDER if lender_id is not None else Role.ADMINISTRATOR, lender_id)


def one_time_request(actor: Actor, operation: str, key: str, body_hash: bytes = bytes(32)) -> Request:
    """A request of the command line; the same key answers the same."""
    return Request(actor, operation, key, body_hash)
