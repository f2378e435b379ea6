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
    """One loan in fractions of minor units; `dues` are (day, principal) pairs, `beyond` the due days after the last.

    `fee` falls due with each instalment while principal is owed; `credit` is what is held for the next instalment.
    """

    def __init__(
        self, principal: int, rate: Fraction, year: int, dues: list[tuple[date, int]], beyond: list[date], fee: int = 0
    ):
        self.principal = principal
        self.rate_per_day = rate / year
        self.rows: list[dict[str, Any]] = [
            {"on": on, "due": False, "principal": part, "interest": 0, "fee": 0, "penalty": 0} for on, part in dues
        ]
        self.beyond = beyond
        self.fee = fee
        self.credit = 0
        self.accrued = Fraction(0)
        self.day = date.min

    def disburse(self, on: date) -> None:
        self.day = on

    def walk(self, to: date) -> None:
        while self.day < to:
            self.day += timedelta(days=1)
            self.accrued += self.principal * self.rate_per_day
            row = next((row for row in self.rows if row["on"] == self.day), None)
            if row is not None:
                self._fall_due(row)
            elif self.day in self.beyond:
                self._crystallise(self.rows[-1])

    def _fall_due(self, row: dict[str, Any]) -> None:
        row["fee"] += self.fee if self.principal else 0
        if not row["due"]:
            row["due"] = True
            self._crystallise(row)
        over = self._pay_due(self.credit, dict.fromkeys(PARTS, 0))
        self._prepay(over, dict.fromkeys(PARTS, 0))
        self.credit = 0

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
        return self.owed_now() + undue + half_even(self.accrued) - self.credit

    def next_asks(self) -> int:
        """What the first row to come will have to be paid on its day, if the principal stays as it is."""
        row = self._coming()
        if row is None or not self.principal:
            return 0
        if len(self.rows) == 1 and (row["on"] - self.day).days > 31:
            return 0  # a bullet loan far from its end: what comes in lowers the principal
        accrued = self.accrued
        for _ in range((row["on"] - self.day).days):
            accrued += self.principal * self.rate_per_day
        return int(row["principal"] + row["penalty"] + row["fee"]) + self.fee + half_even(accrued)

    def charge(self, on: date, amount: int, part: str) -> None:
        self.walk(on)
        late = [row for row in self.rows if row["due"] and any(row[name] for name in PARTS)]
        coming = [row for row in self.rows if not row["due"]]
        (late or coming or self.rows[-1:])[0][part] += amount

    def repay(self, on: date, amount: int) -> tuple[dict[str, int], int]:
        """What a payment met by part, and what of it is held."""
        self.walk(on)
        taken = dict.fromkeys(PARTS, 0)
        if amount == self.payoff():
            self._clear(amount, taken)
            return taken, 0
        amount = self._pay_due(amount, taken)
        held = min(amount, max(self.next_asks() - self.credit, 0))
        self.credit += held
        amount = self._prepay(amount - held, taken)
        if self.principal == 0 and self.accrued and taken["principal"]:
            self._crystallise_today()
            amount = self._pay_due(amount, taken)
        assert amount == 0
        return taken, held

    def _clear(self, amount: int, taken: dict[str, int]) -> None:
        """Everything is paid: due parts by the payment, the rest by the credit as far as it goes."""
        amount = self._pay_due(amount, taken)
        if self.accrued:
            self._crystallise_today()
        for part in PARTS:
            owed = sum(row[part] for row in self.rows)
            by_credit = min(owed, self.credit)
            self.credit -= by_credit
            amount -= owed - by_credit
            taken[part] += owed - by_credit
            for row in self.rows:
                row[part] = 0
        self.principal = 0
        assert amount == self.credit == 0

    def _crystallise_today(self) -> None:
        row = self._coming() or self.rows[-1]
        row["due"] = True
        self._crystallise(row)

    def _coming(self) -> dict[str, Any] | None:
        return next((row for row in self.rows if not row["due"]), None)

    def _prepay(self, amount: int, taken: dict[str, int]) -> int:
        for row in reversed(self.rows):
            part = 0 if row["due"] else min(amount, row["principal"])
            row["principal"] -= part
            self.principal -= part
            taken["principal"] += part
            amount -= part
        return amount

    def _pay_due(self, amount: int, taken: dict[str, int]) -> int:
        for row, part in self.payable():
            paid = min(amount, row[part])
            row[part] -= paid
            taken[part] += paid
            amount -= paid
            self.principal -= paid if part == "principal" else 0
        return amount
