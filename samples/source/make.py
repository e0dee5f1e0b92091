#!/usr/bin/env python3
"""Makes the sample documents that are not plain text: PDF (printed by Chromium), DOCX and XLSX.

usage: make.py   (needs setup/requirements.txt; results are committed under samples/documents)
"""
import pathlib
import subprocess
import tempfile

import docx
import openpyxl
from openpyxl.styles import Font

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent / "documents"


def pdf():
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                        f"--user-data-dir={profile}", "--no-pdf-header-footer",
                        f"--print-to-pdf={OUT / 'gold-card-金卡章程.pdf'}", (HERE / "credit-card.html").as_uri()],
                       check=True, capture_output=True)


def fees():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "个人服务收费 Fees"
    sheet.append(["远岑银行个人服务收费表（单位：元） Yuancen Bank personal service fees (unit: RMB)"])
    sheet.append(["项目", "Service", "收费标准 Fee", "说明 Note"])
    for row in [
        ["账户管理费", "Account maintenance, per month", 0, "免费 free of charge"],
        ["跨行转账（柜台）", "Transfer to another bank at the counter, per transfer", 5.5, "金额 1 万元以下 below RMB 10,000"],
        ["跨行转账（手机银行）", "Transfer to another bank by mobile app", 0, "免费 free of charge"],
        ["补卡工本费", "Debit card replacement", 10, "每张 per card"],
        ["存款证明", "Certificate of deposit balance", 20, "每份 per copy"],
        ["跨境汇款手续费", "Outgoing international wire, fee", 80, "另收电讯费 plus cable charge"],
        ["跨境汇款电讯费", "Outgoing international wire, cable charge", 100, "每笔 per transfer"],
        ["短信通知", "Text message alerts, per month", 2, "可随时取消 may be cancelled at any time"],
        ["保管箱（小号）", "Safe deposit box, small, per year", 360, "押金 500 deposit 500"],
    ]:
        sheet.append(row)
    for cell in sheet[2]:
        cell.font = Font(bold=True)
    for row in sheet.iter_rows(min_row=3, min_col=3, max_col=3):
        row[0].number_format = "#,##0.00"
    sheet.merge_cells("A1:D1")
    for column, width in zip("ABCD", (24, 48, 16, 36)):
        sheet.column_dimensions[column].width = width
    book.save(OUT / "收费表-fees.xlsx")


def wealth():
    document = docx.Document()
    document.core_properties.title = "远岑银行“恒进”理财产品说明书"
    document.add_heading("远岑银行“恒进”90 天理财产品说明书", 0)
    document.add_paragraph("产品代码 YC-HJ-090。本产品为非保本浮动收益型理财产品，不是存款，理财非存款，产品有风险，投资须谨慎。")
    document.add_heading("一、产品要素", 1)
    rows = [("风险等级", "R2（中低风险）"), ("适合客户", "风险承受能力为 C2 及以上的个人客户"), ("期限", "90 天"),
            ("起购金额", "1 元"), ("业绩比较基准", "年化 2.30%—2.80%，不构成收益承诺"), ("托管费率", "0.02%/年"), ("固定管理费率", "0.20%/年")]
    table = document.add_table(rows=1, cols=2)
    table.style = "Table Grid"
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "项目", "内容"
    for name, value in rows:
        cells = table.add_row().cells
        cells[0].text, cells[1].text = name, value
    document.add_heading("二、申购与赎回", 1)
    document.add_paragraph("工作日 9:00 至 15:30 接受申购。90 天封闭期内不可赎回；到期后本金和收益在 2 个工作日内到账。")
    document.add_heading("三、投资范围", 1)
    document.add_paragraph("投资于国债、政策性金融债、高等级信用债和同业存单，其中固定收益类资产占比不低于 80%，不投资于股票。")
    document.add_heading("四、风险揭示", 1)
    document.add_paragraph("产品净值会随市场波动，可能出现本金损失。业绩比较基准不是预期收益率。", style="List Bullet")
    document.add_paragraph("提前终止时，银行将在 3 个工作日内公告。", style="List Bullet")
    document.save(OUT / "恒进90天理财说明书.docx")


if __name__ == "__main__":
    pdf()
    fees()
    wealth()
