"""Schema application@1: what the project's own loan application asks, free of currency and protected attributes."""

from decimal import Decimal

from scoring.features import Feature, FeatureSchema, Kind, Numbers

MONTHS_PER_YEAR = 12

PRODUCT_CATEGORIES = ("personal", "auto", "mortgage", "education", "small_business", "agricultural", "other")
PURPOSES = (
    "debt_consolidation", "car", "home", "education", "medical", "travel", "business", "household", "other",
)  # fmt: skip
HOMES = ("own", "mortgage", "rent", "family", "other")

_AMOUNT_MAX = Decimal(10) ** 15


def amount_to_income(numbers: Numbers) -> Decimal | None:
    """amount / annual_income; None without an income."""
    amount, income = numbers["amount"], numbers["annual_income"]
    return None if amount is None or not income else amount / income


def principal_to_income(numbers: Numbers) -> Decimal | None:
    """(amount / term_months) / (annual_income / 12): the month's principal as a share of the month's income."""
    ratio, term = amount_to_income(numbers), numbers["term_months"]
    return None if ratio is None or not term else ratio * MONTHS_PER_YEAR / term


def _number(
    name: str, unit: str, en: str, zh: str, *, high: int, places: int = 0, monotone: int = 0, required: bool = True
) -> Feature:
    return Feature(
        name, Kind.NUMERIC, unit, en, zh, high=Decimal(high), places=places, monotone=monotone, required=required
    )  # fmt: skip


def _category(name: str, en: str, zh: str, categories: tuple[str, ...]) -> Feature:
    return Feature(name, Kind.CATEGORICAL, "category", en, zh, categories=categories, other="other")


def _money(name: str, en: str, zh: str) -> Feature:
    # Not modelled as such: only ratios of two amounts in one currency mean the same in every currency.
    return Feature(
        name, Kind.NUMERIC, "major units of the loan's currency", en, zh,
        high=_AMOUNT_MAX, places=4, modelled=False,
    )  # fmt: skip


APPLICATION_1 = FeatureSchema(
    "application@1",
    (
        _money("amount", "Amount applied for", "申请金额"),
        _number("term_months", "months", "Term applied for", "申请期限", high=600),
        _money("annual_income", "Income of the last 12 months", "近12个月收入"),
        _number("debt_to_income", "ratio", "Monthly debt service before this loan, per monthly income",
                "本次贷款前月还债额占月收入的比例", high=100, places=6, monotone=1),
        _number("employment_years", "years", "Years with the present employer or business", "现单位工作或经营年限",
                high=80, places=2, monotone=-1, required=False),
        _category("home_ownership", "How the applicant lives", "居住状况", HOMES),
        _category("purpose", "What the money is for", "贷款用途", PURPOSES),
        _category("product_category", "Kind of product applied for", "产品类别", PRODUCT_CATEGORIES),
        _number("prior_delinquencies_24m", "count", "Times 30 or more days late in the last 24 months",
                "近24个月逾期30天以上次数", high=1000, monotone=1),
        _number("inquiries_6m", "count", "Credit enquiries by lenders in the last 6 months",
                "近6个月贷款审批查询次数", high=1000, monotone=1),
        _number("open_accounts", "count", "Open credit accounts", "未结清信贷账户数", high=1000),
        _number("public_records", "count", "Court judgments, bankruptcies and enforcement records",
                "法院判决、破产及被执行记录数", high=1000, monotone=1),
        _number("revolving_utilisation", "ratio", "Used share of revolving limits", "循环额度使用率",
                high=100, places=6, monotone=1, required=False),
        _number("credit_history_months", "months", "Age of the oldest credit account", "最早信贷账户距今月数",
                high=1200, monotone=-1, required=False),
        Feature("amount_to_income", Kind.NUMERIC, "ratio", "Amount applied for per annual income",
                "申请金额与年收入之比", high=Decimal(1000), monotone=1, required=False,
                formula="amount / annual_income", derive=amount_to_income),
        Feature("principal_to_income", Kind.NUMERIC, "ratio", "Monthly principal per monthly income",
                "每月应还本金占月收入的比例", high=Decimal(1000), monotone=1, required=False,
                formula="(amount / term_months) / (annual_income / 12)", derive=principal_to_income),
    ),
)  # fmt: skip
