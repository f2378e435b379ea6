"""The one row that says which chain and contract this registry belongs to."""

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Connection, insert, select

from registry.domain.chain_binding import ChainBinding
from registry.domain.errors import Unavailable, WrongChain
from registry.storage.tables import chain_binding

_FIELDS = ("chain_id", "genesis_hash", "contract", "code_hash", "deployed_block")


@dataclass(eq=False)
class NotBound(Unavailable):
    """No contract has been deployed or bound for this registry yet."""

    code: ClassVar[str] = "NOT_BOUND"

    def __str__(self) -> str:
        return "This registry is not bound to a contract yet; run `loan-registry deploy` first."


@dataclass(eq=False)
class BoundToAnother(WrongChain):
    """The registry is bound to another contract; heads cannot be moved between contracts."""

    bound: ChainBinding
    given: ChainBinding
    code: ClassVar[str] = "BOUND_TO_ANOTHER_CONTRACT"

    def __str__(self) -> str:
        return (
            f"This registry belongs to contract 0x{self.bound.contract.hex()} on chain {self.bound.chain_id}, not to "
            f"0x{self.given.contract.hex()} on chain {self.given.chain_id}; start a new registry for a new contract."
        )


class SqlBindings:
    """Implements `registry.ports.Bindings`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self) -> ChainBinding | None:
        row = self._connection.execute(select(*(chain_binding.c[name] for name in _FIELDS))).one_or_none()
        return ChainBinding(*row) if row is not None else None

    def get(self) -> ChainBinding:
        found = self.find()
        if found is None:
            raise NotBound
        return found

    def bind(self, binding: ChainBinding) -> None:
        """Bind once; the same binding again changes nothing."""
        found = self.find()
        if found is None:
            row = {"id": 1, **{name: getattr(binding, name) for name in _FIELDS}}
            self._connection.execute(insert(chain_binding), row)
        elif found != binding:
            raise BoundToAnother(found, binding)
