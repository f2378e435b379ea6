"""Invented borrowers with identity numbers whose check digits are right."""

import random
from datetime import date, timedelta

from stdnum.cn import ric, uscc

from registry.domain.parties import Identity

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英华玉萍红梅鑫浩宇轩婷欣怡子涵"
# Counties that have kept their code since 1965.
_PLACES = ("110105", "110108", "120103", "310104", "310109", "330122", "350121", "430121", "510121", "610326")
_TOWNS = ("北京", "上海", "南京", "杭州", "青岛", "武汉", "广州", "重庆", "成都", "西安")
_TRADES = ("科技", "贸易", "物流", "食品", "建材", "机械", "纺织", "能源")
_BUSINESS_PLACES = ("911101", "913101", "913201", "913301", "913702", "914201", "914401", "915001", "915101", "916101")
_USCC_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def draw_person(rng: random.Random, on: date, until: date | None = None) -> Identity:
    """A natural person of at least 22 years on `on`, and of at most 58 then and 64 on `until`."""
    youngest = on - timedelta(days=22 * 366)
    oldest = max(on - timedelta(days=58 * 365), (until or on) - timedelta(days=64 * 365))
    born_on = youngest - timedelta(days=rng.randrange(max((youngest - oldest).days, 1)))
    body = f"{rng.choice(_PLACES)}{born_on:%Y%m%d}{rng.randrange(1, 999):03d}"
    name = rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2, 2))))
    return Identity(name, "PERSON", "CN_RESIDENT_ID", body + ric.calc_check_digit(body + "0"), born_on, "CN")


def draw_company(rng: random.Random) -> Identity:
    """A company with a unified social credit code."""
    at = rng.randrange(len(_TOWNS))
    body = _BUSINESS_PLACES[at] + "00" + "".join(rng.choices(_USCC_LETTERS, k=9))
    words = "".join(rng.choices("恒信瑞通达安泰和顺兴", k=2))
    return Identity(
        f"{_TOWNS[at]}{words}{rng.choice(_TRADES)}有限公司",
        "ORGANISATION",
        "CN_USCC",
        body + uscc.calc_check_digit(body),
    )
