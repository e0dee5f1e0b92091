"""The checker must see what is wrong: each case is an answer with one thing out of place."""
import unittest
from decimal import Decimal

from figures_check import bad_figures, bad_quotes, chinese_number, evaluate, figures


def answer(text, passage, status="supported", found=(), context="", quote=None):
    return {"sentences": [{"text": text, "status": status, "citations": [1], "figures": list(found)}],
            "citations": [{"n": 1, "chunk": 7, "quote": passage if quote is None else quote}],
            "passages": [{"chunk": 7, "text": passage, "context": context}]}


class Figures(unittest.TestCase):
    def test_numbers_of_both_languages(self):
        self.assertEqual(chinese_number("五千万"), Decimal(50000000))
        self.assertEqual(chinese_number("一百八十三"), Decimal(183))
        self.assertIn(Decimal("320000000"), [v for _, v, _, _ in figures("共3.2亿元")])
        self.assertIn(Decimal(8), [v for _, v, _, _ in figures("不得低于百分之八")])
        self.assertEqual([], figures("依照第三十九条[1]"))

    def test_an_invented_figure_is_seen(self):
        bad, _, checked = bad_figures(answer("The fee is 13 yuan. [1]", "The fee is 12 yuan."), "What is the fee?")
        self.assertEqual((len(bad), checked), (1, 1))
        self.assertEqual(([], [], 1), bad_figures(answer("The fee is 12 yuan. [1]", "The fee is 12 yuan."), "What is the fee?"))

    def test_a_figure_of_another_passage_is_seen(self):
        a = answer("The fee is 12 yuan. [1]", "Nothing here.")
        a["passages"].append({"chunk": 8, "text": "The fee is 12 yuan."})
        self.assertEqual(len(bad_figures(a, "")[0]), 1)

    def test_a_wrong_scale_is_seen_and_the_stated_one_accepted(self):
        table = "| Net revenue | 3,991 |"
        self.assertEqual([], bad_figures(answer("Net revenue was 3,991 million. [1]", table, context="In millions"), "")[0])
        self.assertEqual(1, len(bad_figures(answer("Net revenue was 3,991 billion. [1]", table, context="In millions"), "")[0]))

    def test_a_computed_figure_is_computed_again(self):
        table = "| Net revenue | 3,991 | 5,506 |"
        right = {"status": "computed", "text": "27.52%", "formula": "(3991 - 5506) / 5506"}
        self.assertEqual([], bad_figures(answer("It fell by 27.52%. [1]", table, "computed", [right]), "")[0])
        self.assertEqual(1, len(bad_figures(answer("It fell by 29.52%. [1]", table, "computed", [right]), "")[0]))
        invented = dict(right, formula="(3991 - 6000) / 6000")
        self.assertEqual(1, len(bad_figures(answer("It fell by 33.48%. [1]", table, "computed", [invented]), "")[0]))
        self.assertIsNone(evaluate("__import__('os')"))

    def test_a_changed_quote_is_seen(self):
        self.assertEqual(1, len(bad_quotes(answer("x", "The fee is 12 yuan.", quote="The fee was 12 yuan."))))


if __name__ == "__main__":
    unittest.main()
