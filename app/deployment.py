"""Putting the contract on a chain and admitting lenders: what an operator does once."""

from dataclasses import dataclass

from app.wiring import Registry, operator
from chain.contract import LoanRegistryContract
from chain.deploy import Administration, deploy
from chain.funded_key import funded_key
from chain.signer import ADMINISTRATOR, SigningKey, create_key, read_key
from registry.domain.chain_binding import ChainBinding
from registry.domain.parties import Lender
from registry.domain.product import shipped_products

GAS_MONEY_WEI = 50 * 10**18


@dataclass(frozen=True, slots=True)
class NewLender:
    """A lender to admit; `kind` is its licence, which chooses the rate and exposure rules."""

    code: str
    name: str
    kind: str
    lei: str | None = None


def deploy_contract(registry: Registry) -> ChainBinding:
    """Deploy and bind, once: a registry that is bound already only checks that the chain is still the same."""
    with registry.unit_of_work() as uow:
        bound = uow.bindings.find()
    if bound is not None:
        registry.check_chain()
        return bound
    binding = deploy(registry.rpc, administrator_key(registry))
    with registry.unit_of_work() as uow:
        uow.bindings.bind(binding)
        uow.audit.append(operator(), "ContractDeployed", f"0x{binding.contract.hex()}", registry.clock.now())
        uow.commit()
    return binding


def publish_shipped_products(registry: Registry) -> int:
    """Publish every product version that ships with the project and is not published yet."""
    with registry.unit_of_work() as uow:
        for product in shipped_products():
            uow.products.publish(product, registry.clock.now())
        uow.commit()
    return len(shipped_products())


def admit_lender(registry: Registry, new: NewLender) -> Lender:
    """Make a key for the lender, fund it, admit it on chain and keep it in the file; again changes nothing."""
    with registry.unit_of_work() as uow:
        known = {lender.code: lender for lender in uow.lenders.all()}
    pending = registry.keyring.folder / f"pending-{new.code}.key"
    if new.code in known:
        if pending.exists():
            pending.rename(registry.keyring.path_of(known[new.code].id))
        return known[new.code]
    key = read_key(pending) if pending.exists() else create_key(pending)
    administration = Administration(registry.rpc, registry.binding, administrator_key(registry))
    lender_id = _admitted(registry, administration, key)
    with registry.unit_of_work() as uow:
        lender = Lender(lender_id, new.code, new.name, new.lei, new.kind, key.address, True)
        uow.lenders.add(lender)
        uow.audit.append(operator(), "LenderAdmitted", new.code, registry.clock.now())
        uow.commit()
    pending.rename(registry.keyring.path_of(lender_id))
    return lender


def administrator_key(registry: Registry) -> SigningKey:
    """The administrator's key; on the devnet the first funded account's, kept in a file like any other."""
    path = registry.keyring.folder / ADMINISTRATOR
    if not path.exists() and registry.settings.rpc_url is None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(f"0x{funded_key().hex()}\n")
    return registry.keyring.administrator()


def _admitted(registry: Registry, administration: Administration, key: SigningKey) -> int:
    """The lender's id on chain; a lender admitted by an earlier, interrupted run is not admitted twice."""
    contract = LoanRegistryContract(registry.rpc, registry.binding.contract)
    found = contract.lender_of(key.address, "latest")
    if found:
        return found
    administration.fund(key.address, GAS_MONEY_WEI)
    return administration.admit_lender(key.address)
