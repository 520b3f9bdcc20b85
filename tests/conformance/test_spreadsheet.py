"""A spreadsheet that scores, through the kit.

It is calculated here, with the few functions that it uses, so that it is tried where no spreadsheet
program is installed; where LibreOffice is, that is tried, too.
"""

import operator
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from mhscreen.conformance.check import check_form, load_kits
from mhscreen.conformance.kit import write_rows
from mhscreen.conformance.results import read_text
from mhscreen.problems import ProblemLog

SHEET = Path(__file__).parents[2] / "benchmarks" / "conformance" / "adapters" / "score.fods"

TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
TOKEN = re.compile(r'\s*(\[[^\]]+\]|"[^"]*"|\d+\.?\d*|[A-Z]+(?=\()|<=|>=|<>|[=<>*+();-])')
COMPARE = {
    "<=": operator.le, ">=": operator.ge, "<>": operator.ne, "=": operator.eq,
    "<": operator.lt, ">": operator.gt,
}  # fmt: skip


class Sheets:
    """The cells of all sheets, calculated when they are asked for."""

    def __init__(self, text):
        self.cells = {}
        for table in ET.fromstring(text).iter(f"{TABLE}table"):  # noqa: S314 - our own file
            name = table.get(f"{TABLE}name")
            for y, row in enumerate(table.iter(f"{TABLE}table-row")):
                for x, cell in enumerate(row.iter(f"{TABLE}table-cell")):
                    self.cells[name, y, x] = cell
        self.known = {}

    def rows(self, name):
        """Return the rows of a sheet, every cell as it is shown."""
        places = [(y, x) for sheet, y, x in self.cells if sheet == name]
        width = 1 + max(x for _, x in places)
        height = 1 + max(y for y, _ in places)
        return [[shown(self.value(name, y, x)) for x in range(width)] for y in range(height)]

    def value(self, name, y, x):
        """Return a number, a text or a truth; an empty text for an empty cell."""
        key = (name, y, x)
        if key not in self.known:
            cell = self.cells.get(key)
            formula = None if cell is None else cell.get(f"{TABLE}formula")
            if cell is None:
                self.known[key] = ""
            elif formula is not None:
                tokens = TOKEN.findall(formula.removeprefix("of:="))
                assert "".join(tokens) == re.sub(r"\s", "", formula.removeprefix("of:="))
                self.known[key] = Formula(self, name, tokens).result()
            elif cell.get(f"{OFFICE}value-type") == "float":
                self.known[key] = float(cell.get(f"{OFFICE}value"))
            else:
                self.known[key] = "".join(cell.itertext())
        return self.known[key]


class Formula:
    """One formula, calculated while it is read."""

    def __init__(self, sheets, sheet, tokens):
        self.sheets, self.sheet, self.tokens = sheets, sheet, list(tokens)

    def result(self):
        found = self.comparison()
        assert not self.tokens
        return found

    def comparison(self):
        left = self.sum()
        if self.tokens and self.tokens[0] in COMPARE:
            compare = COMPARE[self.tokens.pop(0)]
            right = self.sum()
            alike = isinstance(left, str) == isinstance(right, str)
            return compare(left, right) if alike else compare is operator.ne
        return left

    def sum(self):
        found = self.product()
        while self.tokens and self.tokens[0] in "+-":
            sign = 1 if self.tokens.pop(0) == "+" else -1
            found += sign * self.product()
        return found

    def product(self):
        found = self.atom()
        while self.tokens and self.tokens[0] == "*":
            self.tokens.pop(0)
            other = self.atom()
            # In a branch that is not taken a text may stand here, as in a spreadsheet.
            found = "#VALUE!" if isinstance(found, str) or isinstance(other, str) else found * other
        return found

    def atom(self):
        word = self.tokens.pop(0)
        if word == "(":
            found = self.comparison()
            assert self.tokens.pop(0) == ")"
            return found
        if word == "-":
            return -self.atom()
        if word[0] == '"':
            return word[1:-1]
        if word[0] == "[":
            return self.reference(word[1:-1])
        if word[0].isdigit():
            return float(word)
        return self.call(word)

    def call(self, name):
        assert self.tokens.pop(0) == "("
        given = [self.comparison()]
        while self.tokens.pop(0) == ";":
            given.append(self.comparison())
        if name == "IF":
            return given[1] if given[0] else given[2]
        if name == "AND":
            return all(given)
        if name == "ISNUMBER":
            return isinstance(given[0], float)
        if name == "INT":
            return given[0] // 1 if isinstance(given[0], float) else "#VALUE!"
        numbers = [one for one in given[0] if isinstance(one, float)]
        return float({"COUNT": len, "SUM": sum}[name](numbers))

    def reference(self, text):
        """Return a cell, or the cells of a range as a list."""
        sheet, _, rest = text.rpartition(".") if ":" not in text else text.partition(".")
        name = sheet.removeprefix("$") or self.sheet
        ends = [place(one.removeprefix(".")) for one in rest.split(":")]
        if len(ends) == 1:
            return self.sheets.value(name, *ends[0])
        (y1, x1), (y2, x2) = ends
        return [self.sheets.value(name, y, x) for y in range(y1, y2 + 1) for x in range(x1, x2 + 1)]


def place(name):
    """Return row and column of a cell, from 0: ``B2`` is (1, 1)."""
    column, row = re.fullmatch(r"([A-Z])(\d+)", name).groups()
    return int(row) - 1, ord(column) - ord("A")


def shown(value):
    return f"{value:g}" if isinstance(value, float) else value


@pytest.fixture
def kit(shipped_kit, library):
    (found,) = load_kits(shipped_kit, library, ["who5@1"])
    return found


def test_a_spreadsheet_passes(kit):
    rows = Sheets(pasted(kit.inputs())).rows("results")
    assert len(rows) > len(kit.names)
    assert passes(kit, write_rows([row for row in rows if row[0]]))


def test_a_spreadsheet_with_another_cut_does_not_pass(kit):
    text = pasted(kit.inputs())
    assert "&lt;=12;" in text
    rows = Sheets(text.replace("&lt;=12;", "&lt;=13;")).rows("results")
    assert not passes(kit, write_rows([row for row in rows if row[0]]))


@pytest.mark.skipif(shutil.which("soffice") is None, reason="soffice is not installed")
def test_a_spreadsheet_passes_in_libreoffice(kit, tmp_path):
    sheet = tmp_path / "who5.fods"
    sheet.write_text(pasted(kit.inputs()), encoding="utf-8")
    home = f"-env:UserInstallation={(tmp_path / 'home').as_uri()}"
    command = ["soffice", home, "--headless", "--convert-to", "csv", "--outdir", tmp_path, sheet]
    subprocess.run(list(map(str, command)), check=True, capture_output=True, timeout=120)
    assert passes(kit, (tmp_path / "who5.csv").read_text(encoding="utf-8"))


def pasted(rows):
    """Return the spreadsheet with the rows of inputs.csv on its last sheet."""
    template = SHEET.read_text(encoding="utf-8")
    assert template.count("[$inputs.A") // 2 >= len(rows) - 1
    number = '<table:table-cell office:value-type="float" office:value="{}"/>'
    text = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    lines = [
        "".join(
            (number if re.fullmatch(r"-?\d+(\.\d+)?", cell) else text).format(cell) for cell in row
        )
        for row in rows
    ]
    body = "".join(f"<table:table-row>{line}</table:table-row>" for line in lines)
    return re.sub(r"<!-- inputs\.csv.*?-->", lambda _: body, template)


def passes(kit, text):
    log = ProblemLog()
    found = read_text(text, "results", [kit], log)
    assert [str(problem) for problem in log] == []
    return all(not one.failures for one in check_form(kit, found[kit.form.name]).clauses)
