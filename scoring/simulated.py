"""A simulated portfolio of applicants and outcomes, the population of the shipped default model. Not real people.

Every applicant has a hidden strength `s ~ N(0, 1)`, which moves what is observed:

    annual income            = median(category) * exp(0.35 s + 0.45 e1)
    debt to income           = 0.28 * exp(-0.25 s + 0.5 e2), at most 1.5
    years of employment      = 5 * exp(0.25 s + 0.7 e3), at most 45; not stated for 4 in 100
    delinquencies, 24 months ~ Poisson(0.25 * exp(-0.7 s))
    enquiries, 6 months      ~ Poisson(1.0 * exp(-0.35 s))
    public records           ~ Poisson(0.05 * exp(-0.8 s))
    open accounts            ~ Poisson(6)
    revolving utilisation    = 1 / (1 + exp(0.6 s - 0.1 + 0.9 e4)); no revolving account for 8 in 100
    credit history, months   = 96 * exp(0.2 s + 0.6 e5), at most 600; no file for 3 in 100

The probability of default over the life of the loan is a logistic function of what is observed and nothing else:

    log-odds = -3.05 + 0.55 ln(amount / income) + 0.010 (term - 36)/6 + 1.1 (debt_to_income - 0.28)
             + 0.55 min(delinquencies, 4) + 0.17 min(enquiries, 6) + 0.60 min(public records, 3)
             + 1.1 (utilisation - 0.45) - 0.025 (min(employment years, 15) - 5)
             - 0.35 ln((history + 12) / 108) + home + purpose + category

An absent utilisation counts as 0.30, an absent history as 12 months, absent employment as 0 years. `home`, `purpose`
and `category` are the tables below. The outcome is drawn from that probability, so even the true probabilities
reach an AUC of about 0.75 only: no model here can look better than the risk is.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from scoring.features import Raw


@dataclass(frozen=True, slots=True)
class Category:
    """What applicants of one product category ask for. Amounts in major units, `share_of_income` is of a year's."""

    median_income: int
    share_of_income: float
    terms_months: tuple[int, ...]
    purposes: tuple[str, ...]
    risk: float


CATEGORIES: dict[str, Category] = {
    "personal": Category(90_000, 0.30, (12, 24, 36), ("debt_consolidation", "household", "medical", "travel"), 0.0),
    "auto": Category(110_000, 0.80, (24, 36, 48, 60), ("car",), -0.55),
    "mortgage": Category(180_000, 4.5, (120, 180, 240, 300, 360), ("home",), -2.6),
    "education": Category(80_000, 0.35, (12, 24, 36, 48), ("education",), -0.15),
    "small_business": Category(150_000, 0.90, (12, 24, 36), ("business",), 0.05),
    "agricultural": Category(70_000, 0.60, (6, 12, 24), ("business",), 0.0),
    "other": Category(90_000, 0.30, (12, 24), ("other", "household"), 0.2),
}
CATEGORY_WEIGHTS: dict[str, int] = {
    "personal": 40, "auto": 18, "mortgage": 8, "education": 8, "small_business": 14, "agricultural": 7, "other": 5,
}  # fmt: skip
HOME_WEIGHTS: dict[str, int] = {"own": 22, "mortgage": 30, "rent": 33, "family": 12, "other": 3}
HOME_RISK: dict[str, float] = {"own": -0.20, "mortgage": -0.15, "rent": 0.15, "family": 0.05, "other": 0.30}
PURPOSE_RISK: dict[str, float] = {
    "debt_consolidation": 0.15, "car": -0.05, "home": 0.0, "education": 0.0, "medical": 0.20, "travel": 0.05,
    "business": 0.25, "household": 0.0, "other": 0.15,
}  # fmt: skip

INTERCEPT = -3.05


def simulate_applicant(rng: random.Random, product_category: str = "personal") -> dict[str, Raw]:
    """Draw the raw features of one applicant (schema application@1); the same `rng` state draws the same applicant."""
    category = CATEGORIES[product_category]
    strength = rng.gauss(0, 1)
    income = category.median_income * math.exp(0.35 * strength + 0.45 * rng.gauss(0, 1))
    amount = income * category.share_of_income * math.exp(0.5 * rng.gauss(0, 1))
    debt_to_income = min(0.28 * math.exp(-0.25 * strength + 0.5 * rng.gauss(0, 1)), 1.5)
    employed = min(5 * math.exp(0.25 * strength + 0.7 * rng.gauss(0, 1)), 45)
    utilisation = 1 / (1 + math.exp(0.6 * strength - 0.1 + 0.9 * rng.gauss(0, 1)))
    history = min(96 * math.exp(0.2 * strength + 0.6 * rng.gauss(0, 1)), 600)
    return {
        "amount": Decimal(max(int(amount / 100), 10) * 100),
        "term_months": rng.choice(category.terms_months),
        "annual_income": Decimal(max(int(income / 100), 50) * 100),
        "debt_to_income": _rounded(debt_to_income, 4),
        "employment_years": None if rng.random() < 0.04 else _rounded(employed, 1),
        "home_ownership": _weighted(rng, HOME_WEIGHTS),
        "purpose": rng.choice(category.purposes),
        "product_category": product_category,
        "prior_delinquencies_24m": _poisson(rng, 0.25 * math.exp(-0.7 * strength)),
        "inquiries_6m": _poisson(rng, 1.0 * math.exp(-0.35 * strength)),
        "open_accounts": _poisson(rng, 6.0),
        "public_records": _poisson(rng, 0.05 * math.exp(-0.8 * strength)),
        "revolving_utilisation": None if rng.random() < 0.08 else _rounded(utilisation, 3),
        "credit_history_months": None if rng.random() < 0.03 else int(history),
    }


def default_probability(raw: Mapping[str, Raw]) -> float:
    """The true probability of default of a simulated applicant, by the equation above."""
    value = {name: None if raw[name] is None else float(raw[name]) for name in _NUMERIC}  # type: ignore[arg-type]
    amount, income, term = value["amount"] or 0.0, value["annual_income"] or 1.0, value["term_months"] or 0.0
    utilisation = 0.30 if value["revolving_utilisation"] is None else value["revolving_utilisation"]
    history = 12.0 if value["credit_history_months"] is None else value["credit_history_months"]
    log_odds = (
        INTERCEPT
        + 0.55 * math.log(amount / income)
        + 0.010 * (term - 36) / 6
        + 1.1 * ((value["debt_to_income"] or 0.0) - 0.28)
        + 0.55 * min(value["prior_delinquencies_24m"] or 0.0, 4)
        + 0.17 * min(value["inquiries_6m"] or 0.0, 6)
        + 0.60 * min(value["public_records"] or 0.0, 3)
        + 1.1 * (utilisation - 0.45)
        - 0.025 * (min(value["employment_years"] or 0.0, 15) - 5)
        - 0.35 * math.log((history + 12) / 108)
        + HOME_RISK[str(raw["home_ownership"])]
        + PURPOSE_RISK[str(raw["purpose"])]
        + CATEGORIES[str(raw["product_category"])].risk
    )
    return 1 / (1 + math.exp(-log_odds))


def draw_category(rng: random.Random) -> str:
    """A product category, by the simulated market's shares."""
    return _weighted(rng, CATEGORY_WEIGHTS)


def draw_outcome(rng: random.Random, raw: Mapping[str, Raw]) -> int:
    """1 when the simulated applicant defaults."""
    return int(rng.random() < default_probability(raw))


_NUMERIC = (
    "amount", "term_months", "annual_income", "debt_to_income", "employment_years", "prior_delinquencies_24m",
    "inquiries_6m", "public_records", "revolving_utilisation", "credit_history_months",
)  # fmt: skip


def _weighted(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(tuple(weights), tuple(weights.values()))[0]


def _rounded(value: float, places: int) -> Decimal:
    return Decimal(f"{value:.{places}f}")


def _poisson(rng: random.Random, mean: float) -> int:
    """Knuth's multiplication method; means here are far below where it gets slow."""
    floor, product, count = math.exp(-mean), rng.random(), 0
    while product > floor:
        product *= rng.random()
        count += 1
    return count
