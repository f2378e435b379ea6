"""Schema lendingclub@1: what LendingClub knew when the borrower applied, and its variants with price or state.

Ratios are taken because a bureau count says more beside the income or the age of the file it belongs to.
"""

from collections.abc import Callable
from decimal import Decimal

from scoring.features import Feature, FeatureSchema, Kind, Numbers

PURPOSES = (
    "debt_consolidation", "credit_card", "other", "home_improvement", "major_purchase", "small_business", "car",
    "wedding", "medical", "moving", "educational", "vacation", "house", "renewable_energy",
)  # fmt: skip
HOMES = ("rent", "mortgage", "own", "other", "none")
STATES = (
    "ak", "al", "ar", "az", "ca", "co", "ct", "dc", "de", "fl", "ga", "hi", "ia", "id", "il", "in", "ks",
    "ky", "la", "ma", "md", "me", "mi", "mn", "mo", "ms", "mt", "nc", "nd", "ne", "nh", "nj", "nm", "nv",
    "ny", "oh", "ok", "or", "pa", "ri", "sc", "sd", "tn", "tx", "ut", "va", "vt", "wa", "wi", "wv", "wy",
)  # fmt: skip
GRADES = tuple("abcdefg")
SUB_GRADES = tuple(f"{grade}{step}" for grade in GRADES for step in range(1, 6))

# The longest absence of the tape is 129 months; a borrower who never had the event stands beyond it.
NEVER_MONTHS = Decimal(180)

MONEY_MAX = 10**10
RATIO_MAX = Decimal(10) ** 6


def _number(
    name: str, unit: str, en: str, zh: str, *,
    high: int, places: int = 0, monotone: int = 0, required: bool = False, never: Decimal | None = None,
) -> Feature:  # fmt: skip
    return Feature(
        name, Kind.NUMERIC, unit, en, zh,
        high=Decimal(high), places=places, monotone=monotone, required=required, never=never,
    )  # fmt: skip


def _ratio(
    name: str, en: str, zh: str, formula: str, derive: Callable[[Numbers], Decimal | None], sign: int = 0
) -> Feature:
    return Feature(
        name, Kind.NUMERIC, "ratio", en, zh,
        high=RATIO_MAX, monotone=sign, required=False, formula=formula, derive=derive,
    )  # fmt: skip


def quotient(numerator: str, denominator: str, *, scale: int = 1, plus: int = 0) -> Callable[[Numbers], Decimal | None]:
    """numerator * scale / (denominator + plus), or None when a part is absent or the divisor is zero."""

    def derive(numbers: Numbers) -> Decimal | None:
        above, below = numbers[numerator], numbers[denominator]
        if above is None or below is None or below + plus == 0:
            return None
        return above * scale / (below + plus)

    return derive


def instalment_to_income(numbers: Numbers) -> Decimal | None:
    """(loan_amnt / term) / (annual_inc / 12), without interest: the lender's price stays out."""
    amount, term, income = numbers["loan_amnt"], numbers["term"], numbers["annual_inc"]
    return None if amount is None or not term or not income else amount / term / (income / 12)


def closed_accounts(numbers: Numbers) -> Decimal | None:
    """total_acc - open_acc: accounts the borrower has brought to an end."""
    total, still_open = numbers["total_acc"], numbers["open_acc"]
    return None if total is None or still_open is None else total - still_open


_BASE: tuple[Feature, ...] = (
    _number("loan_amnt", "USD", "Amount applied for", "申请金额", high=MONEY_MAX, places=2, required=True),
    _number("term", "months", "Term applied for", "申请期限", high=600, required=True),
    _number("annual_inc", "USD", "Stated annual income", "申报年收入", high=MONEY_MAX, places=2, monotone=-1),
    _number("emp_length", "years", "Years in employment, 10 means 10 or more", "工作年限(10表示10年及以上)", high=10),
    Feature("home_ownership", Kind.CATEGORICAL, "category", "How the borrower lives", "居住状况",
            categories=HOMES, other="other"),
    Feature("purpose", Kind.CATEGORICAL, "category", "What the money is for", "贷款用途",
            categories=PURPOSES, other="other"),
    _number("dti", "per cent", "Monthly debt service per monthly income", "月还债额占月收入的百分比",
            high=1000, places=4, monotone=1),
    _number("delinq_2yrs", "count", "Times 30 or more days late in the last 2 years", "近2年逾期30天以上次数",
            high=1000, monotone=1),
    _number("inq_last_6mths", "count", "Credit enquiries in the last 6 months", "近6个月信贷查询次数",
            high=1000, monotone=1),
    _number("mths_since_last_delinq", "months", "Months since the last delinquency", "距最近一次逾期的月数",
            high=1200, monotone=-1, never=NEVER_MONTHS),
    # 0 on the tape means "no record" in some rows and "this month" in others: no sign may be forced on it.
    _number("mths_since_last_record", "months", "Months since the last public record", "距最近一次公共不良记录的月数",
            high=1200, never=NEVER_MONTHS),
    _number("open_acc", "count", "Open credit accounts", "未结清信贷账户数", high=1000),
    _number("pub_rec", "count", "Derogatory public records", "公共不良记录数", high=1000, monotone=1),
    _number("pub_rec_bankruptcies", "count", "Bankruptcies on record", "破产记录数", high=1000, monotone=1),
    _number("revol_bal", "USD", "Revolving balance", "循环信贷余额", high=MONEY_MAX, places=2),
    _number("revol_util", "ratio", "Used share of revolving limits", "循环额度使用率", high=100, places=6, monotone=1),
    _number("total_acc", "count", "Credit accounts ever opened", "历史信贷账户总数", high=1000),
    _number("credit_history_months", "months", "Age of the oldest credit account", "最早信贷账户距今月数", high=1200),
    _ratio("loan_to_income", "Amount applied for per annual income", "申请金额与年收入之比",
           "loan_amnt / annual_inc", quotient("loan_amnt", "annual_inc"), 1),
    _ratio("instalment_to_income", "Monthly principal per monthly income", "每月应还本金占月收入的比例",
           "(loan_amnt / term) / (annual_inc / 12)", instalment_to_income),
    _ratio("revolving_to_income", "Revolving balance per annual income", "循环信贷余额与年收入之比",
           "revol_bal / annual_inc", quotient("revol_bal", "annual_inc")),
    _ratio("revolving_limit", "Estimated revolving limit in USD", "估算循环额度(美元)",
           "revol_bal / revol_util", quotient("revol_bal", "revol_util")),
    _ratio("loan_to_revolving", "Amount applied for per revolving balance", "申请金额与循环信贷余额之比",
           "loan_amnt / (revol_bal + 1)", quotient("loan_amnt", "revol_bal", plus=1)),
    _ratio("closed_acc", "Credit accounts closed", "已结清信贷账户数", "total_acc - open_acc", closed_accounts),
    _ratio("accounts_per_year", "Accounts opened per year of credit history", "每年新开信贷账户数",
           "total_acc * 12 / (credit_history_months + 12)",
           quotient("total_acc", "credit_history_months", scale=12, plus=12)),
)  # fmt: skip

_PRICE: tuple[Feature, ...] = (
    _number("int_rate", "fraction a year", "The lender's rate", "贷款人定价利率", high=10, places=6, required=True),
    _number(
        "installment",
        "USD a month",
        "The lender's instalment",
        "贷款人定价月供",
        high=MONEY_MAX,
        places=2,
        required=True,
    ),
    Feature("grade", Kind.CATEGORICAL, "category", "The lender's grade", "贷款人评级", categories=GRADES),
    Feature(
        "sub_grade", Kind.CATEGORICAL, "category", "The lender's sub-grade", "贷款人细分评级", categories=SUB_GRADES
    ),
)

_STATE: tuple[Feature, ...] = (
    Feature("addr_state", Kind.CATEGORICAL, "category", "State of residence", "居住州", categories=(*STATES, "other"),
            other="other"),
)  # fmt: skip

LENDINGCLUB_1 = FeatureSchema("lendingclub@1", _BASE)
# For comparison only. Price is itself a score; where somebody lives can stand in for protected attributes.
LENDINGCLUB_PRICE_1 = FeatureSchema("lendingclub_price@1", _BASE + _PRICE, price_allowed=True)
LENDINGCLUB_STATE_1 = FeatureSchema("lendingclub_state@1", _BASE + _STATE)
