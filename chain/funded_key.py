"""The keys of the devnet's funded accounts; their phrase is public, so they are for a devnet only."""

from chain.devnet import MNEMONIC


def funded_key(index: int = 0) -> bytes:
    """The private key (32 bytes) of one of the devnet's funded accounts."""
    from eth_account import Account  # noqa: PLC0415  slow to load: only who signs should need it

    Account.enable_unaudited_hdwallet_features()
    return bytes(Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}").key)
