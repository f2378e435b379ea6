"""Keccak-256 as Ethereum uses it (original padding, unlike SHA-3), in plain Python, or by `sha3` if installed."""

_MASK = 2**64 - 1
_RATE_BYTES = 136


def _round_constants() -> tuple[int, ...]:
    """The 24 constants of Keccak-f[1600], from the LFSR of the Keccak reference, section 1.2."""
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for bit in range(7):
            if register & 1:
                constant |= 1 << ((1 << bit) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return tuple(constants)


def _rho_pi() -> tuple[tuple[int, int], ...]:
    """For each step of the rho and pi walk: the lane that is written next, and how far the carried lane is turned."""
    steps, x, y = [], 1, 0
    for t in range(24):
        x, y = y, (2 * x + 3 * y) % 5
        steps.append((x + 5 * y, (t + 1) * (t + 2) // 2 % 64))
    return tuple(steps)


_CONSTANTS = _round_constants()
_STEPS = _rho_pi()


def _permute(lanes: list[int]) -> None:
    """Keccak-f[1600] on 25 lanes of 64 bits, in place."""
    for constant in _CONSTANTS:
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        for x in range(5):
            right = columns[(x + 1) % 5]
            mixed = columns[(x + 4) % 5] ^ ((right << 1 | right >> 63) & _MASK)
            for i in range(x, 25, 5):
                lanes[i] ^= mixed
        carried = lanes[1]
        for target, turn in _STEPS:
            lanes[target], carried = (carried << turn | carried >> (64 - turn)) & _MASK, lanes[target]
        for row in range(0, 25, 5):
            a, b, c, d, e = lanes[row : row + 5]
            lanes[row : row + 5] = a ^ (~b & c), b ^ (~c & d), c ^ (~d & e), d ^ (~e & a), e ^ (~a & b)
        lanes[0] ^= constant


def keccak_256_plain(data: bytes) -> bytes:
    """The digest (32 bytes), by this module alone."""
    padded = bytearray(data) + bytes(_RATE_BYTES - len(data) % _RATE_BYTES)
    padded[len(data)] ^= 0x01
    padded[-1] ^= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), _RATE_BYTES):
        for i in range(_RATE_BYTES // 8):
            lanes[i] ^= int.from_bytes(padded[start + 8 * i : start + 8 * i + 8], "little")
        _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


_EMPTY = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")

try:
    import sha3
except ImportError:
    keccak_256 = keccak_256_plain
else:

    def _accelerated(data: bytes) -> bytes:
        return bytes(sha3.keccak_256(data).digest())

    # A `sha3` module that computes NIST SHA-3 under this name would silently refuse every true proof.
    keccak_256 = _accelerated if _accelerated(b"") == _EMPTY else keccak_256_plain
