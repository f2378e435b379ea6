"""Chinese surnames: readings that differ from the everyday one, compound surnames, and other spellings."""

# Surname readings that differ from the everyday reading of the character (reference section 5).
_SURNAMES = """
单:shan 仇:qiu 解:xie 任:ren 曾:zeng 区:ou 查:zha 盖:ge 朴:piao 翟:zhai 缪:miao 乐:yue 员:yun
冼:xian 覃:qin 召:shao 折:she 秘:bi 种:chong 繁:po 黑:he 那:na 宓:mi 燕:yan 祭:zhai 华:hua
宁:ning 应:ying 车:che 俞:yu 句:gou 隗:wei 能:nai 曲:qu 葛:ge 令:ling 沈:shen 石:shi 褚:chu
牟:mou 芮:rui 尉:wei 相:xiang 洗:xian 撒:sa 适:kuo 逄:pang 郗:xi 都:du 干:gan 訾:zi 卜:bu
晁:chao 郇:xun 阚:kan 谌:chen 臧:zang 佴:nai 眭:sui 昝:zan 万:wan 行:xing 长:chang 重:chong
"""
SURNAME_READINGS: dict[str, tuple[str, ...]] = {
    char: (reading,) for char, reading in (pair.split(":") for pair in _SURNAMES.split())
}
_COMPOUNDS = """
尉迟:yu-chi 万俟:mo-qi 单于:chan-yu 令狐:ling-hu 长孙:zhang-sun 澹台:tan-tai 皇甫:huang-fu
夏侯:xia-hou 上官:shang-guan 诸葛:zhu-ge 司马:si-ma 欧阳:ou-yang 东方:dong-fang 慕容:mu-rong
公孙:gong-sun 宇文:yu-wen 轩辕:xuan-yuan 端木:duan-mu 独孤:du-gu 南宫:nan-gong 赫连:he-lian
闻人:wen-ren 钟离:zhong-li 呼延:hu-yan 太史:tai-shi 申屠:shen-tu 公冶:gong-ye 宗政:zong-zheng
濮阳:pu-yang 淳于:chun-yu 仲孙:zhong-sun 鲜于:xian-yu 闾丘:lv-qiu 司徒:si-tu 司空:si-kong
亓官:qi-guan 司寇:si-kou 颛孙:zhuan-sun 拓跋:tuo-ba 夹谷:jia-gu 宰父:zai-fu 谷梁:gu-liang
百里:bai-li 东郭:dong-guo 南门:nan-men 羊舌:yang-she 微生:wei-sheng 左丘:zuo-qiu 西门:xi-men
第五:di-wu 公羊:gong-yang 梁丘:liang-qiu 段干:duan-gan
"""
COMPOUND_READINGS: dict[str, tuple[str, ...]] = {
    chars: tuple(reading.split("-")) for chars, reading in (pair.split(":") for pair in _COMPOUNDS.split())
}
# Wade-Giles, Cantonese, Hokkien and Taiwanese spellings of common surnames, by pinyin.
_SPELLINGS = """
zhang chang cheung cheong teo|huang wong hwang ng ooi|chen chan tan chin ch'en|liu lau lew low liew
zhou chow chou chau chew|zeng tsang tseng chang|li lee lei ly|wang wong ong|zhao chao chiu jiao
wu ng woo goh|xu hsu tsui hui shu koh|zhu chu chue choo|sun suen|hu woo oo wu|guo kuo kwok quek kok
he ho|lin lam lim|gao kao ko|luo lo law loh|zheng cheng tay|liang leung leong neo|xie hsieh tse chia
song sung soong|tang tong teng|deng teng tang|feng fung foong|yu yue yee|dong tung
xiao hsiao siu siew|cheng ching shing|cao tsao cho|yuan yuen|fu foo|shen sum sham shum
jiang chiang keung kong|cai tsai choi chua choy|jia chia ka|ding ting|wei ngai|xue hsueh sit
ye yeh yip ip yap|yan yen yim ngan|du tu to|zhong chung|tian tien tin|xiong hsiung hung
jin chin kam king kim|lu lo luk loke lou|bai pai pak|cui tsui chui|kang hong|qiu chiu yau khoo
qin chin chun|shi shih sze see shek|gu ku koo|hou hau|shao siu|meng mang|long lung|wan man|lei lui
qian chien|yin wan|mo mok|ou au ow|guan kwan|pan poon phua|zhan chim|zou chau|jian kan|ji chi kei
ke kuo or|qi chi|xia hsia ha|xing hsing|zhuang chuang chong|ruan yuen|situ szeto seto|ouyang auyeung
zhuge chuko|sima szema
"""
SPELLINGS: dict[str, tuple[str, ...]] = {}
for _line in _SPELLINGS.replace("\n", "|").split("|"):
    if _words := _line.split():
        SPELLINGS[_words[0]] = tuple(dict.fromkeys(_words))
# Every spelling, to the pinyin surnames it may stand for.
SURNAMES_BY_SPELLING: dict[str, frozenset[str]] = {
    spelling: frozenset(pinyin for pinyin, spellings in SPELLINGS.items() if spelling in spellings)
    for spelling in {word for words in SPELLINGS.values() for word in words}
}


def same_surname(left: str, right: str) -> bool:
    """Whether two Latin spellings may be the same Chinese surname."""
    one = SURNAMES_BY_SPELLING.get(left)
    other = SURNAMES_BY_SPELLING.get(right) if one else None
    return bool(one and other and not one.isdisjoint(other))
