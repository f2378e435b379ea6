"""Reading identity numbers: what is wrong with one, and what it says about its holder."""

from dataclasses import dataclass
from datetime import date

from stdnum import iban, lei
from stdnum.cn import ric, uscc
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength, ValidationError

# Residence permits of Hong Kong, Macau and Taiwan residents carry these instead of a GB 2260 place.
_PERMIT_PLACES = ("810000", "820000", "830000")
# GB 2260 provinces; a foreigner's permanent resident number is 9, province, ISO 3166 numeric country.
_PROVINCE_CODES = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65"
_PROVINCES = frozenset(_PROVINCE_CODES.split())
_USCC_ALPHABET = frozenset("0123456789ABCDEFGHJKLMNPQRTUWXY")
_USCC_REGISTRARS = frozenset("123456789ANY")
_REASONS: tuple[tuple[type[ValidationError], str], ...] = (
    (InvalidLength, "LENGTH"),
    (InvalidChecksum, "CHECKSUM"),
    (InvalidComponent, "COMPONENT"),
    (InvalidFormat, "FORMAT"),
)


@dataclass(frozen=True, slots=True)
class IdentityReading:
    """A number in its normal form, or the reason it is none; birth and sex where the number carries them.

    `confirm_elsewhere` is set where the form is right but no public register lists the issuing place.
    """

    normalised: str | None
    reason: str | None = None
    birth_on: date | None = None
    sex: str | None = None
    confirm_elsewhere: bool = False

    @property
    def valid(self) -> bool:
        return self.normalised is not None


def read_resident_id(text: str) -> IdentityReading:
    """A Chinese resident number (GB 11643): 18 characters, place, real birth date, ISO 7064 mod 11-2."""
    number = ric.compact(text)
    if len(number) != 18:
        return IdentityReading(None, "LENGTH")
    if not (number[:17].isascii() and number[:17].isdigit()) or number[17] not in "0123456789X":
        return IdentityReading(None, "FORMAT")
    if number[17] != ric.calc_check_digit(number):
        return IdentityReading(None, "CHECKSUM")
    try:
        born = ric.get_birth_date(number)
    except ValidationError:
        return IdentityReading(None, "BIRTH_DATE")
    permit = number[:6] in _PERMIT_PLACES or (number[0] == "9" and number[1:3] in _PROVINCES)
    if not permit:
        try:
            ric.get_birth_place(number)
        except ValidationError:
            return IdentityReading(None, "PLACE")
    return IdentityReading(number, None, born, "M" if int(number[16]) % 2 else "F", confirm_elsewhere=permit)


def read_uscc(text: str) -> IdentityReading:
    """A Chinese unified social credit code (GB 32100); registrars may be led by A, N or Y."""
    number = uscc.compact(text)
    if len(number) != 18:
        return IdentityReading(None, "LENGTH")
    if not set(number) <= _USCC_ALPHABET or number[0] not in _USCC_REGISTRARS or not number[2:8].isdigit():
        return IdentityReading(None, "FORMAT")
    if number[17] != uscc.calc_check_digit(number):
        return IdentityReading(None, "CHECKSUM")
    return IdentityReading(number, confirm_elsewhere=not number[:2].isdigit())


def read_lei(text: str) -> IdentityReading:
    """A legal entity identifier (ISO 17442)."""
    try:
        number = lei.validate(text)
    except ValidationError as cause:
        return IdentityReading(None, _reason(cause))
    return IdentityReading(number) if len(number) == 20 else IdentityReading(None, "LENGTH")


def read_iban(text: str) -> IdentityReading:
    """An international bank account number (ISO 13616)."""
    try:
        return IdentityReading(iban.validate(text))
    except ValidationError as cause:
        return IdentityReading(None, _reason(cause))


def _reason(cause: ValidationError) -> str:
    return next((code for kind, code in _REASONS if isinstance(cause, kind)), "FORMAT")
