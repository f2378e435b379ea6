"""Names that must never enter a score: known only after the decision, set by the lender, or protected by law."""

from fnmatch import fnmatchcase

# What happened to the loan afterwards, by the README of the LendingClub 2007-2011 tape, and its own target.
AFTER_APPLICATION: tuple[str, ...] = (
    "default", "loan_status", "funded_amnt*", "pymnt_plan", "out_prncp*", "total_*pymnt*",
    "total_rec_*", "recoveries", "collection_recovery_fee", "last_pymnt_*", "next_pymnt_d", "last_credit_pull_d",
    "last_fico_*", "hardship_*", "deferral_term", "payment_plan_start_date", "orig_projected_*",
    "debt_settlement_*", "settlement_*", "days_past_due", "charged_off*", "outstanding*", "repaid*", "outcome", "loss*",
)  # fmt: skip

# The lender's own price is a score already; a score built on it explains nothing. Allowed only in a `price` schema.
LENDERS_PRICE: tuple[str, ...] = ("grade", "sub_grade", "int_rate", "installment", "annual_rate*", "offered_rate")

# Attributes kept out of a score by credit law (US ECOA and Regulation B, EU and Chinese rules on discrimination).
PROTECTED: tuple[str, ...] = (
    "age", "birth*", "date_of_birth", "sex", "gender", "race", "ethnic*", "nationality", "religion", "marital*",
    "disability", "health*", "name", "zip_code", "postcode",
)  # fmt: skip


def why_not_at_application(name: str, *, price_allowed: bool = False) -> str | None:
    """Why the column `name` leaks what came after the application, or None when it does not."""
    if _matches(name, AFTER_APPLICATION):
        return "its value is known only after the loan was granted"
    if not price_allowed and _matches(name, LENDERS_PRICE):
        return "it is the lender's own price, which is itself a score"
    return None


def is_protected(name: str) -> bool:
    """Whether the column `name` is a protected attribute or a close stand-in for one."""
    return _matches(name, PROTECTED)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    plain = name.strip().lower()
    return any(fnmatchcase(plain, pattern) for pattern in patterns)
