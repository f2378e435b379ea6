"""Countries as lists and loan files write them, folded to ISO 3166 alpha-2 codes."""

from compliance.names import fold

_NAMES = {
    "cn": "china|peoples republic of china|prc|chn|chinese|中国|中华人民共和国",
    "hk": "hong kong|hkg|hong kong china|香港",
    "mo": "macau|macao|mac|澳门",
    "tw": "taiwan|twn|台湾",
    "kp": "north korea|korea north|democratic peoples republic of korea|dprk|prk|朝鲜",
    "kr": "south korea|korea south|republic of korea|kor|韩国",
    "ru": "russia|russian federation|rus|russian|俄罗斯",
    "ir": "iran|iran islamic republic of|islamic republic of iran|irn|伊朗",
    "iq": "iraq|irq",
    "sy": "syria|syrian arab republic|syr",
    "af": "afghanistan|afg",
    "pk": "pakistan|pak",
    "ye": "yemen|yem",
    "ly": "libya|lby",
    "sd": "sudan|sdn",
    "so": "somalia|som",
    "cu": "cuba|cub",
    "mm": "burma|myanmar|mmr",
    "by": "belarus|blr",
    "ua": "ukraine|ukr",
    "us": "united states|united states of america|usa|美国",
    "gb": "united kingdom|great britain|uk|gbr|england|英国",
    "de": "germany|deu|deutschland|德国",
    "fr": "france|fra|法国",
    "ch": "switzerland|che",
    "jp": "japan|jpn|日本",
    "ca": "canada|can",
    "mx": "mexico|mex",
    "co": "colombia|col",
    "ve": "venezuela|ven",
    "pa": "panama|pan",
    "sg": "singapore|sgp|新加坡",
    "my": "malaysia|mys",
    "id": "indonesia|idn",
    "in": "india|ind",
    "ae": "united arab emirates|uae|are",
    "sa": "saudi arabia|sau",
    "tr": "turkey|turkiye|tur",
    "eg": "egypt|egy",
    "lb": "lebanon|lbn",
    "cy": "cyprus|cyp",
}
_CODES = {name: code for code, names in _NAMES.items() for name in (code, *names.split("|"))}


def country_code(text: str) -> str:
    """The alpha-2 code, or the folded text itself where the table does not know it."""
    folded = fold(text)
    return _CODES.get(folded, folded)
