"""The contract put on a chain, and its administrator's acts there: admit lenders, change their accounts, fund them."""

from dataclasses import dataclass
from typing import ClassVar

from chain import abi
from chain.artifacts import load_artifact
from chain.binding import CodeDiffers, bind, check_binding
from chain.contract import LoanRegistryContract
from chain.rpc import Rpc
from chain.sender import Receipt, send
from chain.signer import SigningKey
from registry.domain.chain_binding import ChainBinding
from registry.domain.errors import RegistryError

__all__ = ["Administration", "DeploymentIncomplete", "bind", "check_binding", "deploy"]


@dataclass(eq=False)
class DeploymentIncomplete(RegistryError):
    """The deploying transaction was mined and its receipt names no contract."""

    transaction_hash: bytes
    code: ClassVar[str] = "DEPLOYMENT_INCOMPLETE"

    def __str__(self) -> str:
        return f"Transaction 0x{self.transaction_hash.hex()} was mined but created no contract; check the node."


def deploy(rpc: Rpc, administrator: SigningKey) -> ChainBinding:
    """Create the registry; the deploying account becomes its administrator. Its code is held against the artifact."""
    artifact = load_artifact()
    receipt = send(rpc, administrator, None, artifact.bytecode)
    if receipt.contract is None:
        raise DeploymentIncomplete(receipt.transaction_hash)
    binding = bind(rpc, receipt.contract, deployed_block=receipt.block_number)
    if binding.code_hash != artifact.code_hash:
        raise CodeDiffers(receipt.contract, artifact.code_hash, binding.code_hash)
    return binding


class Administration:
    """The administrator's acts on one registry. Each is one transaction, mined when the method returns."""

    def __init__(self, rpc: Rpc, binding: ChainBinding, key: SigningKey) -> None:
        self._rpc = rpc
        self._binding = binding
        self._key = key
        self._contract = LoanRegistryContract(rpc, binding.contract)

    def admit_lender(self, account: bytes) -> int:
        """Admit a lender with its first account; returns the id the contract gave it."""
        receipt = self._do("admitLender", account)
        return self._contract.lender_of(account, receipt.block_hash)

    def add_account(self, lender_id: int, account: bytes) -> None:
        self._do("addAccount", lender_id, account)

    def remove_account(self, account: bytes) -> None:
        self._do("removeAccount", account)

    def rotate_account(self, lender_id: int, old: bytes, new: bytes) -> None:
        """Let `new` act for the lender, then `old` no more; at no time does the lender have no account."""
        self.add_account(lender_id, new)
        self.remove_account(old)

    def suspend_lender(self, lender_id: int) -> None:
        self._do("suspendLender", lender_id)

    def reinstate_lender(self, lender_id: int) -> None:
        self._do("reinstateLender", lender_id)

    def pause(self) -> None:
        self._do("pause")

    def unpause(self) -> None:
        self._do("unpause")

    def fund(self, account: bytes, amount_wei: int) -> None:
        """Give an account the means to pay for gas, from the administrator's own: a plain transfer, in wei."""
        check_binding(self._rpc, self._binding)
        send(self._rpc, self._key, account, value=amount_wei)

    def _do(self, function: str, *arguments: object) -> Receipt:
        check_binding(self._rpc, self._binding)
        return send(self._rpc, self._key, self._binding.contract, abi.encode_call(function, *arguments))
