"""The pages as files: well-formed, alone, safe whatever names a table has, and readable by their colours."""

import base64
import hashlib
import itertools
import json
import re

import pytest

from flows.explained import explained
from flows.explorer import PLOT_STYLE, SCRIPT, STYLES, policy, text_of
from flows.plot import SHAPES
from tests.flows.pages import HOSTILE, bare_page, faults, printed_page, rich, rich_page, written
from tests.flows.test_report import front, page, words


@pytest.mark.parametrize("html", [rich_page(), rich_page(n=30), bare_page(), printed_page(), page(front())])
def test_a_page_is_well_formed_and_alone_and_its_links_lead_somewhere(html, tmp_path):
    assert faults(written(tmp_path, html)) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("</summary>", "", "tag "),
        ('id="numbers"', 'id="circuits"', "id circuits twice"),
        ("<header>", '<header><img src="logo.png">', "loads logo.png"),
        ("<header>", '<header><script src="https://example.org/a.js"></script>', "loads https"),
        ("</style>", "body { background: url(https://example.org/a.png); }</style>", "loads https"),
        ('href="#exact"', 'href="#gone"', "link #gone"),
        ('href="designs/exact/netlist.v"', 'href="designs/exact/gone.v"', "link designs/exact/gone.v"),
        ('href="designs/exact/netlist.v"', 'href="https://example.org/"', "link https://example.org/"),
        ('href="designs/exact/netlist.v"', 'href="../.."', "link ../.."),
    ],
)
def test_each_fault_is_found(old, new, fault, tmp_path):
    html = rich_page()
    assert old in html
    found = faults(written(tmp_path, html.replace(old, new, 1)))
    assert [line for line in found if line.startswith(fault)]


def test_a_missing_file_is_found(tmp_path):
    path = written(tmp_path, rich_page())
    (tmp_path / "designs" / "exact" / "measure.json").unlink()
    assert faults(path) == ["link designs/exact/measure.json"]


def island(html):
    """The text of the data that the script reads."""
    (found,) = re.findall(r'<script type="application/json" id="circuits">(.*?)</script>', html, re.DOTALL)
    return found


def test_names_cannot_leave_the_data_or_the_text():
    html = rich_page()
    assert HOSTILE not in html
    assert "<b>bold" not in html
    assert html.count("</script>") == 2
    assert "&lt;/script&gt;&lt;b&gt;bold" in html


def test_data_with_a_hostile_name_reads_back():
    hostile = rich("exact", "exact", 1.0, 0.9, description=HOSTILE)
    data = {**front(), "front": [hostile | {"id": "x", "stage": "refine"}]}
    told = json.loads(island(page(data)))
    assert set(told) == {"exact", "textbook", "x"}
    assert told["x"]["series"] == "refine"
    assert not re.search(r"[<>&']", island(page(data)))
    assert "printed energy harvester" not in told["x"]["sources"]


def test_only_this_script_may_run():
    html = rich_page()
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert script == text_of(SCRIPT)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in html
    assert "default-src 'none'" in policy(script)
    assert policy(script) != policy(script + " ")


def test_what_a_record_lacks_is_left_out():
    text, told = bare_page(), rich_page()
    for missing in ("Where the power goes", "Longest path", "Features and thresholds used", "What carries it"):
        assert f">{missing}</a></h4>" not in text
        assert f">{missing}</a></h4>" in told
    text = words(text)
    assert "None" not in text
    assert "proof: not shown this record has none" in text
    assert "delay, 1 V" not in text


def test_a_panel_tells_everything():
    text = words(rich_page())
    for told in (
        "What chose it On the front: no circuit beats it in merit",
        "Verilog = netlist: yes ABC netlist = integers of the classifier: yes whole circuit (bitwuzla)",
        "Carried always on by a printed energy harvester.",
        "50% of the cells were matched to their part by function",
        "2 of 2 features and 3 thresholds change its answer",
        "2 of 2 0.5 1",
        "Kept to compare the stages;",
        "with pruned converters",
    ):
        assert told in text, told


def test_a_proof_that_failed_to_end_is_not_shown_as_one():
    given = {"verdict": "not proved", "reason": "after 600 s", "route": "", "solver": ""}
    proof = {"verilog": {"verdict": "proved", "solver": "ABC"}, "integers": given}
    html = page(front(rich("tree-1", "tree", 1.0, 0.9, proof=proof)))
    assert "netlist = integers of the classifier: not shown after 600 s" in words(html)


def test_every_number_is_explained_in_a_sentence_each():
    entries = explained(power=True, delay=True, sensors=True, pictures=True, prints=True, working=True)
    assert len({entry.key for entry in entries}) == len(entries)
    for entry in entries:
        for sentence in (entry.meaning, entry.protocol):
            assert sentence.endswith(".")
            assert not re.search(r"\. [A-Z]", sentence), sentence


def test_the_front_names_what_chose_it():
    chosen = {**front(rich("tree-1", "tree", 1.0, 0.9)), "chosen_by": "system"}
    html = page(chosen)
    assert html.index('data-axis="system"') < html.index('data-axis="area"')
    assert "area with comparators and power" in words(html)
    usual = page(front(rich("tree-1", "tree", 1.0, 0.9)))
    assert usual.index('data-axis="area"') < usual.index('data-axis="system"')


def colours(style):
    """Values of the style's own names."""
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", style))


def channels(colour):
    """Linear red, green and blue of a colour, 0 to 1, by the sRGB curve."""
    values = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    return [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]


def contrast(one, other):
    """Contrast ratio of WCAG 2."""
    dark, light = sorted(
        sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), channels(colour), strict=True))
        for colour in (one, other)
    )
    return (light + 0.05) / (dark + 0.05)


BACKGROUNDS = ("paper", "wash", "warm", "chosen")
SHAPE_COLOURS = ("textbook", "exact", "paper-stage", "tree", "search", "refine")
SHAPES_ALONE = (*SHAPE_COLOURS[2:], "adders")
"""Colours that no text has."""
ON_PAPER_ALONE = ("textbook",)
"""Colours of names that stand in pictures only."""


def faint(style):
    """Colours of text below 4.5 to 1 on some background of the style, and of marks below 3 to 1 on the paper."""
    known = colours(style)
    texts = {*re.findall(r"(?<![-\w])(?:color|fill): var\(--([\w-]+)\)", style)} - {"paper", *SHAPES_ALONE}
    grounds = {text: BACKGROUNDS[:1] if text in ON_PAPER_ALONE else BACKGROUNDS for text in texts}
    wanted = [(text, ground, 4.5) for text in sorted(texts) for ground in grounds[text]]
    wanted += [("ink", "bar", 4.5)]
    wanted += [(mark, "paper", 3.0) for mark in (*SHAPE_COLOURS, "adders")]
    return [(one, other) for one, other, least in wanted if contrast(known[one], known[other]) < least]


def test_text_and_marks_stand_out():
    style = "\n".join(text_of(name) for name in (*STYLES, "compare.css"))
    assert faint(style) == []
    assert faint(style.replace("--soft: #55606e", "--soft: #9aa5b1"))
    assert faint(style.replace("--tree: #009e73", "--tree: #7fe0b0"))
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


BLIND = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""How colours look without one kind of cone: Machado, Oliveira and Fernandes 2009, severity 1, in linear RGB."""
XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.9505, 1.0, 1.089)


def seen(colour, kind):
    """CIELAB of a colour as eyes of a kind see it."""

    def times(matrix, vector):
        return [sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix]

    linear = channels(colour) if kind is None else times(BLIND[kind], channels(colour))
    bent = [v / w for v, w in zip(times(XYZ, [min(1, max(0, c)) for c in linear]), WHITE, strict=True)]
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in bent)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def nearest(named):
    """The least difference (CIE76) between two of the colours, over all kinds of eyes."""
    return min(
        sum((a - b) ** 2 for a, b in zip(seen(one, kind), seen(other, kind), strict=True)) ** 0.5
        for kind in (None, *BLIND)
        for one, other in itertools.combinations(named, 2)
    )


def test_the_stages_colours_differ_for_all_eyes():
    known = colours(text_of(PLOT_STYLE))
    assert nearest([known[name] for name in SHAPE_COLOURS]) > 18
    # Red and green of one lightness, which many people cannot tell apart.
    assert nearest(["#b04040", "#5c7030"]) < 18
    assert len(SHAPE_COLOURS) == len(SHAPES)
