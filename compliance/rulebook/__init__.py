"""The dated, versioned rules and thresholds of the checks, read from TOML files; unknown keys are errors."""

from compliance.rulebook.book import RuleBook, RuleBookInvalid, Rules
from compliance.rulebook.rules import (
    AffordabilityRule,
    AgeRule,
    Cap,
    ConsentRule,
    ExposureRule,
    IdentityRule,
    LprRule,
    MakerCheckerRule,
    NetDisbursementRule,
    OverIndebtednessRule,
    ProductRule,
    PurposeRule,
    RateCapRule,
    ScreeningRule,
    VelocityRule,
)

__all__ = [
    "AffordabilityRule",
    "AgeRule",
    "Cap",
    "ConsentRule",
    "ExposureRule",
    "IdentityRule",
    "LprRule",
    "MakerCheckerRule",
    "NetDisbursementRule",
    "OverIndebtednessRule",
    "ProductRule",
    "PurposeRule",
    "RateCapRule",
    "RuleBook",
    "RuleBookInvalid",
    "Rules",
    "ScreeningRule",
    "VelocityRule",
]
