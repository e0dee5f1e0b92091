"""An independent check of released figures: written apart from the verifier, sharing none of its code or tables."""
import re
import unicodedata
from decimal import Decimal, InvalidOperation, localcontext

CHINESE_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000}
SCALES = {"万亿": 10**12, "百万": 10**6, "千万": 10**7, "亿": 10**8, "万": 10**4, "million": 10**6, "billion": 10**9, "trillion": 10**12,
          "thousand": 10**3, "mn": 10**6, "bn": 10**9}
NUMBER = re.compile(r"(?<![A-Za-z0-9_.,])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?!\d)")
TAIL = re.compile(r"^\s*(万亿|百万|千万|亿|万|million|billion|trillion|thousand|mn\b|bn\b)?\s*(%|percent\b|per cent\b|个百分点|基点|bp\b|bps\b)?", re.I)
CHINESE = re.compile(r"(百分之)?([零〇一二两三四五六七八九十百千万亿]+)(?=(年|个月|月|日|天|小时|元|倍|人|分之|%|个|名|家|以|届|次|股)|)")
REFERENCE = re.compile(r"\[\d+(?:\s*,\s*\d+)*\]|第[零〇一二两三四五六七八九十百千\d]+[条章节款项届次季]|(?m:^\s*\d+[.、)])|(?m:^\s*[（(][一二三四五六七八九十\d]+[)）])")


def fold(text):
    return unicodedata.normalize("NFKC", text)


def chinese_number(text):
    """"五千万" → 50000000; None where it is no number."""
    total = section = digit = 0
    for c in text:
        if c in CHINESE_DIGITS:
            digit = CHINESE_DIGITS[c]
        elif c in CHINESE_UNITS:
            section += (digit or 1) * CHINESE_UNITS[c]
            digit = 0
        elif c in ("万", "亿"):
            total = (total + section + digit) * (10**4 if c == "万" else 10**8)
            section = digit = 0
        else:
            return None
    return Decimal(total + section + digit)


def figures(text):
    """(as written, value, places after the point of what is written, is a ratio) of each figure."""
    text = REFERENCE.sub(lambda m: " " * len(m.group()), fold(text))
    found = []
    for match in NUMBER.finditer(text):
        written = match.group(1)
        value = Decimal(written.replace(",", ""))
        tail = TAIL.match(text[match.end():])
        scale = Decimal(SCALES.get((tail.group(1) or "").lower(), 1))
        unit = (tail.group(2) or "").lower()
        ratio = bool(unit)
        if unit in ("基点", "bp", "bps"):
            scale *= Decimal("0.01")  # in percent
        found.append((text[match.start():match.end() + tail.end()].strip(), value * scale, scale, ratio))
    for match in CHINESE.finditer(text):
        core = match.group(2)
        if not match.group(1) and not match.group(3):
            continue
        if len(core) == 1 and core in "万亿千百十" or core in ("一",):
            continue
        value = chinese_number(core)
        if value is not None:
            found.append((match.group(0), value, Decimal(1), bool(match.group(1))))
    return found


def stated_scale(passage):
    text = fold(passage).lower()
    for word, scale in (("in millions", 10**6), ("in thousands", 10**3), ("in billions", 10**9), ("百万元", 10**6), ("亿元", 10**8), ("万元", 10**4), ("千元", 10**3)):
        if word in text:
            return Decimal(scale)
    return Decimal(1)


def values_of(passage, context=""):
    """Every value the passage may be read to hold: as written, and with the scale its table states."""
    scale = stated_scale(context + "\n" + passage)
    values = set()
    for _, value, own, _ in figures(passage):
        values.add(abs(value))
        if own == 1:
            values.add(abs(value * scale))
    return values


def evaluate(formula):
    """The value of "(3991 - 5506) / 5506"; None where it is not plain arithmetic."""
    plain = formula.replace(",", "")
    if not re.fullmatch(r"[\d.\s+\-*/()]+", plain):
        return None
    with localcontext() as ctx:
        ctx.prec = 40
        try:
            code = re.sub(r"\d+(?:\.\d+)?", lambda m: f'Decimal("{m.group()}")', plain)
            return eval(code, {"__builtins__": {}, "Decimal": Decimal})  # only digits and operators pass the check above
        except (InvalidOperation, ZeroDivisionError, SyntaxError):
            return None


def equal(a, b):
    return abs(abs(a) - abs(b)) <= Decimal("1e-9") * max(Decimal(1), abs(a))


def rounds_to(exact, written, written_value, scale):
    """Whether `written` is `exact` rounded to the places written."""
    plain = re.match(r"[\d,.]+", written)
    places = len(plain.group().split(".")[1]) if plain and "." in plain.group() else 0
    step = scale * Decimal(10) ** -places
    return abs(abs(exact) - abs(written_value)) <= step / 2


def bad_figures(answer, question):
    """Figures of the released text that neither their citation nor the calculator accounts for: (bad, rounded, checked)."""
    bad, rounded, checked = [], [], 0
    passages = {p["chunk"]: p for p in answer.get("passages", [])}
    cited = {c["n"]: passages.get(c["chunk"], {}) for c in answer.get("citations", [])}
    asked = {abs(v) for _, v, _, _ in figures(question + " " + answer.get("standalone_question", ""))}
    for sentence in answer.get("sentences", []):
        if sentence["status"] == "withheld":
            continue
        holders = [cited.get(n, {}) for n in sentence["citations"]]
        held = set()
        for p in holders:
            about = " ".join([p.get("context", ""), p.get("heading", ""), p.get("title", "")])
            held |= values_of(p.get("text", ""), about) | {abs(v) for _, v, _, _ in figures(about)}
        computed = []
        for figure in sentence.get("figures", []):
            if figure["status"] != "computed":
                continue
            value = evaluate(figure.get("formula", ""))
            operands = {abs(v) for _, v, _, _ in figures(figure.get("formula", ""))} - {Decimal(n) for n in (1, 12, 100, 365, 10000, 10**8)}
            if value is not None and all(any(equal(o, h) for h in held | asked) for o in operands):
                computed += [abs(value), abs(value) * 100] + [abs(value) * s for s in (10**3, 10**4, 10**6, 10**8, 10**9)]
        for written, value, scale, _ in figures(sentence["text"]):
            checked += 1
            if any(equal(value, h) for h in held | asked):
                continue
            if any(rounds_to(c, written, value, scale) or equal(c, value) for c in computed):
                continue
            if any(rounds_to(h, written, value, scale) for h in held if h > 9):
                rounded.append((written, sentence["text"]))
                continue
            bad.append((written, sentence["text"]))
    return bad, rounded, checked


def bad_quotes(answer):
    """Citations whose quote is not verbatim in the passage."""
    passages = {p["chunk"]: p for p in answer.get("passages", [])}
    return [c for c in answer.get("citations", []) if c["quote"] not in passages.get(c["chunk"], {}).get("text", "")]
