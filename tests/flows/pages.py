"""Pages to look at: a rich one and a bare one, and what a page is made of."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flows.defects_options import RECORD
from flows.report_panels import FILES
from printedmlp.power_sources import USUAL, feasibility
from tests.flows.test_report import front, page, point

HOSTILE = "</script><b>bold</b><!-- & \" ' <script>alert(1)</script>"
LONG = "a_feature_whose_name_" + "goes_on_and_" * 8 + "ends"
STAGES = ("paper", "tree", "search", "refine")
VOLTS = ("0.6", "0.8", "1")
VOID = {"meta", "input", "br", "img", "hr", "link"}


def by_voltage(value):
    return dict.fromkeys(VOLTS, value)


def rich(name, stage, area, accuracy, **changes):
    """A circuit with everything that a record can hold."""
    part = {"name": HOSTILE, "cells": 7, "area_cm2": area, "static_mw": by_voltage(3 * area)}
    power = {
        "sample_rate_hz": by_voltage(5.0),
        "static_mw": by_voltage(3 * area),
        "switching_mw": by_voltage(0.001),
        "total_mw": by_voltage(3 * area + 0.001),
        "leakage_share": by_voltage(0.99),
        "by_cell": [{**part, "name": "NAND2X1"}, {**part, "name": "INVX1", "area_cm2": area / 2}],
        "by_block": [part, {**part, "name": LONG}],
        "blocks_matched": 0.5,
    }
    sections = [{"name": HOSTILE, "cells": 3, "delay_ms": 0.4}, {"name": "leaves", "cells": 2, "delay_ms": 0.6}]
    proved = {"verdict": "proved", "solver": "bitwuzla", "route": "whole circuit", "reason": ""}
    pruned = {"area_cm2": 2 * area, "power_mw": 4 * area, "carried_by": None}
    record = {
        "merit": accuracy,
        "power": power,
        "timing": {"path": f"'{HOSTILE}' bit 1 > out[0]", "path_blocks": sections},
        "feasibility": feasibility(3 * area, 1.0, USUAL, 0.0002),
        "front_end": {"inputs": 2, "comparators": 3, "undecided": 0, "levels": [[1, 2], [2]]},
        "system": {"comparators": 3, "full": {**pruned, "most": {}}, "pruned": pruned},
        "proof": {"verilog": {"verdict": "proved", "solver": "ABC"}, "integers": proved},
    }
    return point(name, stage, area, accuracy, **{**record, **changes})


def rich_front(n, **changes):
    """A front.json of n circuits on the front and as many beside it."""
    shown = [
        rich(f"{STAGES[k % 4]}-{k:02}", STAGES[k % 4], 10.0 ** (k / n - 2), 0.6 + 0.38 * k / n, **changes)
        for k in range(n)
    ]
    beside = [rich(f"tree-{k + 50}", "tree", 3.0, 0.7, **changes) for k in range(n)]
    return front(*shown, others=beside, **{key: shown[0][key] for key in ("system", "power", "feasibility")})


def rich_page(n=8, **settings):
    """A page of n circuits on the front and as many beside it, with names that could do harm."""
    return page(rich_front(n), names=(HOSTILE, LONG), classes=(HOSTILE, LONG), **settings)


DEFECTS = {
    "rows": 50,
    "draws": 1000,
    "loss": 0.05,
    "yields": [(0.95, 0.132, (0.112, 0.154)), (0.99, 0.755, (0.727, 0.781))],
}


def printed_page():
    """A page of a run whose fourth axis was the merit of prints, with the defects of two of its circuits."""
    data = rich_front(8, printed_merit=0.5)
    data["front"] = [{**point, "printed_merit": 0.4 + 0.05 * k} for k, point in enumerate(data["front"])]
    return page(data, defects={"exact": DEFECTS, "refine-03": DEFECTS}, fault_tolerance=0.95)


def bare_page():
    """A page of records as an early version of the flow left them."""
    none = {"power_mw": by_voltage(None), "delay_ms": by_voltage(None), "max_rate_hz": None}
    data = front(point("paper-1", "paper", 0.04, 0.9, **none), point("tree-1", "tree", 0.05, 0.95, **none), **none)
    del data["others"]
    return page(data)


def written(folder, html):
    """The page in a folder with the files that a run has beside it."""
    (folder / "report.html").write_text(html, encoding="utf-8")
    for name in re.findall(r'id="([\w-]+)" data-of=', html):
        (folder / "designs" / name).mkdir(parents=True)
        for file in FILES:
            (folder / "designs" / name / file).write_text(file)
    for name in re.findall(rf'href="designs/([\w-]+)/{RECORD}"', html):
        (folder / "designs" / name / RECORD).write_text(RECORD)
    return folder / "report.html"


class Parts(HTMLParser):
    """Tags of a page: ids, links, what is loaded, and tags that nothing closes."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.links, self.loaded, self.open, self.wrong = [], [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        """Note what an element is and asks for."""
        told = dict(attributes)
        self.ids += [told["id"]] if "id" in told else []
        self.links += [told["href"]] if tag == "a" and "href" in told else []
        self.loaded += [told[name] for name in ("src", "srcset", "data", "action") if name in told]
        self.loaded += [told["href"]] if tag in ("link", "use", "image", "base") and "href" in told else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        """An element of SVG that holds nothing."""
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        """An element ends, the last that began if the page is well-formed."""
        if tag in VOID or not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def faults(path, root=None):
    """What is wrong with a page: tags, ids that are there twice, links that lead nowhere, and what it loads.

    Links lead to nothing outside `root`, the page's own folder where none is given.
    """
    html = path.read_text(encoding="utf-8")
    parts = Parts(html)
    found = [f"tag {tag}" for tag in (*parts.wrong, *parts.open)]
    found += [f"id {name} twice" for name in set(parts.ids) if parts.ids.count(name) > 1]
    found += [f"loads {name[:40]}" for name in parts.loaded if not name.startswith("data:")]
    found += [f"loads {name}" for name in re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')\s]+)", html)]
    return found + [
        f"link {link}"
        for link in set(parts.links)
        if not leads_somewhere(path, root or path.parent, link, parts.ids)
    ]


def leads_somewhere(path, root, link, ids):
    """Whether a link stays inside a folder and finds its file or part."""
    split = urlsplit(link)
    if split.scheme or split.netloc:
        return False
    if not split.path:
        return unquote(split.fragment) in ids
    target = Path(path.parent, unquote(split.path)).resolve()
    return target.is_relative_to(root.resolve()) and target.exists()
