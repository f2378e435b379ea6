"""Chinese company names as lists translate them: known business words in English, the rest in pinyin."""

import re

from compliance import han

_ENGLISH = {
    "国际": "international", "贸易": "trading", "商贸": "trading", "进出口": "import export", "船务": "shipping",
    "航运": "shipping", "海运": "shipping", "运输": "transport", "物流": "logistics", "工业": "industry",
    "实业": "industry", "工贸": "industry trading", "科技": "technology", "技术": "technology",
    "电子": "electronics", "银行": "bank", "投资": "investment", "石油": "petroleum", "化工": "chemical",
    "机械": "machinery", "联合": "united", "建设": "construction", "工程": "engineering", "能源": "energy",
    "香港": "hongkong", "中国": "china", "澳门": "macau", "朝鲜": "korea", "海洋": "marine", "金属": "metal",
    "材料": "material", "矿业": "mining", "钢铁": "steel", "保险": "insurance", "信托": "trust", "基金": "fund",
    "证券": "securities", "集团": "group", "控股": "holdings",
}  # fmt: skip
_PIECES = re.compile("(" + "|".join(sorted(_ENGLISH, key=len, reverse=True)) + ")")


def company_words(chars: str) -> tuple[str, ...]:
    """The Latin words of a company name in simplified characters, without its legal form."""
    words: list[str] = []
    for piece in _PIECES.split(chars):
        if piece in _ENGLISH:
            words.extend(_ENGLISH[piece].split())
        elif piece:
            words.append("".join(han.readings(piece)[-1]).replace("v", "u"))
    return tuple(words)
