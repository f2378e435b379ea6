"""Numbers and bytes in JSON-RPC's two hexadecimal forms: quantities (no leading zeros) and data (two digits a byte)."""


def quantity(value: int) -> str:
    return hex(value)


def data(value: bytes) -> str:
    return "0x" + value.hex()


def number(text: str) -> int:
    return int(text, 16)


def octets(text: str) -> bytes:
    return bytes.fromhex(text[2:])
