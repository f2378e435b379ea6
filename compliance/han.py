"""Names in Han characters: one script form, surname and given name, and their Latin readings."""

from compliance.surnames import COMPOUND_READINGS, SPELLINGS, SURNAME_READINGS

# Traditional to Simplified for characters common in surnames, given names and company names.
_TRADITIONAL = (
    "張陳黃劉趙吳孫鄭許馮鄧韓蔣葉蕭謝羅盧鐘鍾賈陸薑嚴龍萬賀龔錢湯歐陽諸馬魯韋項遲關範賴閻顏譚鄒駱蘇華國東"
    "務興貿實業際團機電車運輸進發達億匯豐寶銀財經濟農產開學習衛軍愛麗鳳鵬鶴鴻穎瑋瓊蘭蓮葦藝節義儀偉傑俠優"
    "傳倫儉勝勳動勞勵榮樂樹權歡漢潔瀟淵灣濤為爾獻瑤畫異盡礦禮穀積穩競築紅純紀約級細終組絢維綠緒線綿緯總績"
    "織繼續聖聲聯職腦臨舊艦蔔處號補裝見規視親覺觀討訓記設詠詩誠語誼調諾謙識譯議護譽讓貝負貴買費資賓賢質賞"
    "趕躍軒輝輯轉遠適選遺邁郵鄉醫釋針鈞鉅銘鋒鋼錄錦鎮鏡鐵長門閃閔閣閩陝陰隊階隨險雙雜離雲靈靜響頁頂順須頌"
    "預領頭顯風飛養餘館騰驗驚體鬥魚鮮鳥麥黨齊齡龐強彥蟲單從來師幣帶幫廠廣庫廟彈後徑復徵恆恥悅愷應懷戰戲戶"
    "擴擔據損撥擇換揚搖撫齋殺氣氫決況準滬滿濱潤澤煙熱燈燦環現瑪甦畢當監盤眾確碩種稱稅呂楊鄔鄺莊喬岡婁鮑顧"
    "薩寧溫紹聞綺嬌嵐慶憲曉書條棟楓橋鈴錫鑑萊薔賜贊鑽與會島廳橫濰壽夢奧奮姍娛導將專尋對層屆啟員問喚園圓圖"
    "場塊壇壯夾獎獨獲瑩礎禎禦筆簡糧紡紮絲綜縣罰聰肅脈臺葯蔭薈虧蠟褲訂託訪評詞試話該詳誌課請論證貨販貫貯賬"
    "購贏輕輛辦迴連週過違邊鄰釀鈺銳錚錕鍵鎖鏈陣隸霧韌韻頓頒頤頻顆颱飯飲飾駕駿騎鬆鷹齒"
)
_SIMPLIFIED = (
    "张陈黄刘赵吴孙郑许冯邓韩蒋叶萧谢罗卢钟钟贾陆姜严龙万贺龚钱汤欧阳诸马鲁韦项迟关范赖阎颜谭邹骆苏华国东"
    "务兴贸实业际团机电车运输进发达亿汇丰宝银财经济农产开学习卫军爱丽凤鹏鹤鸿颖玮琼兰莲苇艺节义仪伟杰侠优"
    "传伦俭胜勋动劳励荣乐树权欢汉洁潇渊湾涛为尔献瑶画异尽矿礼谷积稳竞筑红纯纪约级细终组绚维绿绪线绵纬总绩"
    "织继续圣声联职脑临旧舰卜处号补装见规视亲觉观讨训记设咏诗诚语谊调诺谦识译议护誉让贝负贵买费资宾贤质赏"
    "赶跃轩辉辑转远适选遗迈邮乡医释针钧巨铭锋钢录锦镇镜铁长门闪闵阁闽陕阴队阶随险双杂离云灵静响页顶顺须颂"
    "预领头显风飞养余馆腾验惊体斗鱼鲜鸟麦党齐龄庞强彦虫单从来师币带帮厂广库庙弹后径复征恒耻悦恺应怀战戏户"
    "扩担据损拨择换扬摇抚斋杀气氢决况准沪满滨润泽烟热灯灿环现玛苏毕当监盘众确硕种称税吕杨邬邝庄乔冈娄鲍顾"
    "萨宁温绍闻绮娇岚庆宪晓书条栋枫桥铃锡鉴莱蔷赐赞钻与会岛厅横潍寿梦奥奋姗娱导将专寻对层届启员问唤园圆图"
    "场块坛壮夹奖独获莹础祯御笔简粮纺扎丝综县罚聪肃脉台药荫荟亏蜡裤订托访评词试话该详志课请论证货贩贯贮账"
    "购赢轻辆办回连周过违边邻酿钰锐铮锟键锁链阵隶雾韧韵顿颁颐频颗台饭饮饰驾骏骑松鹰齿"
)
_TO_SIMPLIFIED = str.maketrans(_TRADITIONAL, _SIMPLIFIED)
_READING_LENGTH_MAX = 40
_WADE_INITIALS = (
    ("zh", "ch"), ("ch", "ch"), ("sh", "sh"), ("j", "ch"), ("q", "ch"), ("x", "hs"), ("z", "ts"), ("c", "ts"),
    ("b", "p"), ("p", "p"), ("d", "t"), ("t", "t"), ("g", "k"), ("k", "k"), ("r", "j"),
)  # fmt: skip
_WADE_FINALS = (("ong", "ung"), ("ian", "ien"), ("ie", "ieh"), ("ue", "ueh"), ("ve", "ueh"), ("e", "o"))
_WADE_WHOLE = {
    "zi": "tzu", "ci": "tzu", "si": "ssu", "zhi": "chih", "chi": "chih", "shi": "shih", "ri": "jih", "yan": "yen",
    "ye": "yeh", "you": "yu", "er": "erh", "he": "ho", "ge": "ko", "ke": "ko", "yi": "i",
}  # fmt: skip
_WADE_KEEPS_E = ("ie", "ue", "ve", "en", "eng", "ei")


def is_han(char: str) -> bool:
    """Whether a character is a Han ideograph."""
    return "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" or "\U00020000" <= char <= "\U0003134f"


def simplified(text: str) -> str:
    """Traditional characters replaced by their Simplified form, as far as the table goes."""
    return text.translate(_TO_SIMPLIFIED)


def split_surname(chars: str) -> tuple[str, str]:
    """Surname and given name of a person's name in simplified characters."""
    width = 2 if chars[:2] in COMPOUND_READINGS and len(chars) > 2 else 1
    return chars[:width], chars[width:]


def readings(chars: str) -> tuple[tuple[str, ...], ...]:
    """Toneless pinyin syllables, `v` for ü: with the surname reading, then the everyday one if it differs."""
    chars = simplified(chars)[:_READING_LENGTH_MAX]
    everyday = _syllables(chars)
    if chars in COMPOUND_READINGS:
        first = COMPOUND_READINGS[chars]
    else:
        surname, given = split_surname(chars)
        known = COMPOUND_READINGS.get(surname) or SURNAME_READINGS.get(surname)
        rest = _syllables(given) if given else ()
        first = known + rest if known else everyday
    return tuple(dict.fromkeys((first, everyday)))


def _syllables(chars: str) -> tuple[str, ...]:
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415  slow to load: only who reads Han names should need it

    return tuple(lazy_pinyin(chars, style=Style.NORMAL, errors="ignore", v_to_u=False))


def latin_forms(chars: str) -> tuple[tuple[str, ...], ...]:
    """Latin spellings of a person's Han name as token tuples, surname first, given name joined."""
    surname, _ = split_surname(simplified(chars))
    width = len(surname)
    forms: dict[tuple[str, ...], None] = {}
    for syllables in readings(chars):
        family = "".join(syllables[:width])
        given = [syllable.replace("v", "u") for syllable in syllables[width:]]
        joined = "".join(given)
        family = family.replace("v", "u")
        forms[(family, joined) if joined else (family,)] = None
        older = "".join(wade_giles(syllable) for syllable in syllables[width:])
        older_family = "".join(wade_giles(syllable) for syllable in syllables[:width])
        forms[(older_family, older) if older else (older_family,)] = None
        for spelling in SPELLINGS.get(family, ()):
            forms[(spelling, joined) if joined else (spelling,)] = None
    return tuple(forms)


def wade_giles(syllable: str) -> str:
    """A pinyin syllable in Wade-Giles without apostrophes, as lists write it."""
    if (whole := _WADE_WHOLE.get(syllable)) is not None:
        return whole
    initial, spelled = next(((p, w) for p, w in _WADE_INITIALS if syllable.startswith(p)), ("", ""))
    final = syllable[len(initial) :]
    for pinyin, wade in _WADE_FINALS:
        if final.endswith(pinyin) and not (pinyin == "e" and final.endswith(_WADE_KEEPS_E)):
            final = final[: -len(pinyin)] + wade
            break
    return (spelled + final).replace("v", "u")
