"""A slow second opinion on the ledger: walks day by day in exact fractions, sharing no arithmetic with the product.

It books disbursement, repayments and charges of a loan with an actual day count, and answers what is owed by part.
"""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

PARTS = ("penalty", "fee", "interest", "principal")


def half_even(value: Fraction) -> int:
    return round(value)


class NaiveLoan:
    """One loan in fractions of minor units; `dues` are (day, principal) pairs, `beyond` the due days after the last."""

    def __init__(self, principal: int, rate: Fraction, year: int, dues: list[tuple[date, int]], beyond: list[date]):
        self.principal = principal
        self.rate_per_day = rate / year
        self.rows: list[dict[str, Any]] = [
            {"on": on, "due": False, "principal": part, "interest": 0, "fee": 0, "penalty": 0} for on, part in dues
        ]
        self.beyond = beyond
        self.accrued = Fraction(0)
        self.day = date.min

    def disburse(self, on: date) -> None:
        self.day = on

    def walk(self, to: date) -> None:
        while self.day < to:
            self.day += timedelta(days=1)
            self.accrued += self.principal * self.rate_per_day
            row = next((row for row in self.rows if row["on"] == self.day), None)
            if row is not None and not row["due"]:
                row["due"] = True
                self._crystallise(row)
            elif self.day in self.beyond:
                self._crystallise(self.rows[-1])

    def _crystallise(self, row: dict[str, Any]) -> None:
        row["interest"] += half_even(self.accrued)
        self.accrued = Fraction(0)

    def payable(self) -> list[tuple[dict[str, Any], str]]:
        """What can be paid now, in order: due rows completely, then charges of rows to come."""
        due = [(row, part) for row in self.rows if row["due"] for part in PARTS]
        return due + [(row, part) for row in self.rows if not row["due"] for part in ("penalty", "fee")]

    def owed_now(self) -> int:
        return int(sum(row[part] for row, part in self.payable()))

    def payoff(self) -> int:
        undue = sum(row["principal"] for row in self.rows if not row["due"])
        return self.owed_now() + undue + half_even(self.accrued)

    def charge(self, on: date, amount: int, part: str) -> None:
        self.walk(on)
        late = [row for row in self.rows if row["due"] and any(row[name] for name in PARTS)]
        coming = [row for row in self.rows if not row["due"]]
        (late or coming or self.rows[-1:])[0][part] += amount

    def repay(self, on: date, amount: int) -> dict[str, int]:
        self.walk(on)
        taken = dict.fromkeys(PARTS, 0)
        amount = self._pay_due(amount, taken)
        for row in reversed(self.rows):
            if row["due"]:
                continue
            part = min(amount, row["principal"])
            row["principal"] -= part
            amount -= part
            taken["principal"] += part
        self.principal -= taken["principal"]
        if self.principal == 0 and self.accrued and taken["principal"]:
            row = next((row for row in self.rows if not row["due"]), self.rows[-1])
            row["due"] = True
            self._crystallise(row)
            amount = self._pay_due(amount, taken)
        assert amount == 0
        return taken

    def _pay_due(self, amount: int, taken: dict[str, int]) -> int:
        for row, part in self.payable():
            paid = min(amount, row[part])
            row[part] -= paid
            taken[part] += paid
            amount -= paid
        return amount
