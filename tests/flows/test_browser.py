"""The pages in a browser: they open without an error, and what is pointed at, clicked or walked to is shown."""

import json

import pytest

from tests.flows.chromium import opened
from tests.flows.pages import bare_page, printed_page, rich_page, written

WIDTHS = (1280, 360)
SHOWN = "[...document.querySelectorAll('.panel')].filter(p => p.checkVisibility()).map(p => p.id).join()"
MARKS = "document.querySelectorAll('.axis-plot.on a.mark:not(.out)').length"
CONTROLS = "[...document.querySelectorAll('.controls, .told, button, input')].some(p => p.checkVisibility())"
FAINT = """
(() => {
  const light = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * R + .7152 * G + .0722 * B;
  };
  const parts = text => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = parts(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!node.data.trim() || e.closest('script, style, button:disabled') || !e.checkVisibility()) continue;
    if (e.closest('.picture')) continue;
    const style = getComputedStyle(e);
    const own = light(parts(e.closest('svg') ? style.fill : style.color));
    const [a, b] = [own, light(ground(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) found.push(node.data.trim().slice(0, 30));
  }
  return JSON.stringify(found);
})()
"""
"""Texts that are seen and have less contrast with their ground than WCAG AA asks for."""


@pytest.fixture(scope="module")
def browser():
    with opened() as page:
        yield page


@pytest.fixture
def address(tmp_path):
    return written(tmp_path, rich_page()).as_uri()


@pytest.fixture(autouse=True)
def _no_error(browser):
    browser.errors.clear()
    yield
    assert browser.errors == []


@pytest.mark.parametrize(
    ("html", "width"),
    [
        (rich_page(), 1280),
        (rich_page(n=30), 360),
        (bare_page(), 360),
        *((printed_page(), width) for width in WIDTHS),
    ],
    ids=["rich", "sixty circuits", "bare", "prints", "prints on a phone"],
)
def test_a_page_opens_and_fits(browser, tmp_path, html, width):
    browser.open(written(tmp_path, html).as_uri(), width)
    assert browser.run("document.documentElement.className") == "js"
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("document.querySelector('b')") is None
    assert browser.run(SHOWN).count(",") == 0
    assert json.loads(browser.run(FAINT)) == []


def test_what_goes_wrong_on_a_page_is_noticed(browser, tmp_path):
    html = rich_page().replace('id="circuits"', 'id="nothing"')
    browser.open(written(tmp_path, html).as_uri(), 1280)
    browser.run("fetch('https://example.org/').catch(() => 0)")
    told = json.dumps(browser.errors)
    browser.errors.clear()
    assert "TypeError" in told
    assert "Content Security Policy" in told


def test_a_script_that_is_not_the_pages_does_not_run(browser, tmp_path):
    html = rich_page().replace("<header>", "<header><script>document.title = 'taken'</script>")
    browser.open(written(tmp_path, html).as_uri(), 1280)
    assert browser.run("document.title") == "Printed classifiers: table"
    assert "Content Security Policy" in json.dumps(browser.errors)
    browser.errors.clear()


def test_faint_text_is_noticed(browser, tmp_path):
    html = rich_page().replace("--soft: #55606e", "--soft: #b5bcc6")
    browser.open(written(tmp_path, html).as_uri(), 1280)
    assert json.loads(browser.run(FAINT))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_point_that_is_clicked_shows_its_panel(browser, address, width):
    browser.open(address, width)
    browser.click(".axis-plot.on [data-of=search-02] path")
    assert browser.run(SHOWN) == "search-02"
    assert browser.run("location.hash") == "#search-02"
    assert "search-02: test" in browser.run("document.querySelector('.told').textContent")
    browser.press("ArrowRight")
    assert browser.run(SHOWN) == "refine-03"
    assert browser.run("document.activeElement.dataset.of") == "refine-03"
    browser.press("Home")
    assert browser.run(SHOWN) == browser.run("document.activeElement.dataset.of") != "refine-03"


def test_what_is_pointed_at_is_shown_for_the_time_being(browser, address):
    browser.open(address, 1280)
    browser.click("tr[data-of=tree-01] td")
    assert browser.run(SHOWN) == "tree-01"
    browser.point(".axis-plot.on [data-of=exact] path")
    assert browser.run(SHOWN) == "exact"
    browser.point("tr[data-of=search-02] td")
    assert browser.run(SHOWN) == "search-02"
    browser.point("h1")
    assert browser.run(SHOWN) == "tree-01"
    assert browser.run("document.querySelector('tr[aria-current]').dataset.of") == "tree-01"


def test_rows_stay_under_the_pointer_beside_panels(browser, address):
    browser.open(address, 1280)
    for name in ("search-02", "tree-01", "exact", "tree-50"):
        browser.point(f"tr[data-of={name}] td")
        assert browser.run(SHOWN) == name


def test_rows_stay_under_the_pointer_where_panels_stand_above_them(browser, address):
    place = "document.querySelector('tr[data-of=tree-01]').getBoundingClientRect().top"
    browser.open(address, 360)
    before = browser.run(SHOWN)
    browser.point("tr[data-of=tree-01] td")
    where = browser.run(place)
    browser.run("document.querySelector('tr[data-of=tree-01] a').focus({ preventScroll: true })")
    assert (browser.run(SHOWN), browser.run(place)) == (before, where)
    browser.click("tr[data-of=tree-01] td")
    assert browser.run(SHOWN) == "tree-01" != before


def test_the_address_opens_the_same_again(browser, address):
    browser.open(address, 1280)
    before = browser.run(MARKS)
    browser.click("input[value=power]")
    browser.click("input[name=series][value=tree]")
    browser.run(
        "{ const s = document.querySelector('select[name=source]'); s.value = 'Blue Spark printed battery';"
        "s.dispatchEvent(new Event('change')); }"
    )
    browser.click("tr[data-of=search-02] td")
    narrowed, told = browser.run(MARKS), browser.run("location.hash")
    assert told == "#search-02&axis=power&without=tree&source=Blue+Spark+printed+battery"
    assert 0 < narrowed < before
    assert "circuits shown" in browser.run("document.querySelector('.told').textContent")
    browser.open(address + told, 1280)
    assert (browser.run(SHOWN), browser.run(MARKS)) == ("search-02", narrowed)
    assert browser.run("document.querySelector('.axis-plot.on').dataset.axis") == "power"
    browser.click("button[name=reset]")
    assert (browser.run(MARKS), browser.run("location.hash")) == (before, "#search-02&axis=power")


@pytest.mark.parametrize("width", WIDTHS)
def test_circuits_are_seen_along_the_merit_of_their_prints(browser, tmp_path, width):
    address = written(tmp_path, printed_page()).as_uri()
    browser.open(address + "#refine-03", width)
    everything = browser.run(MARKS)
    browser.click("input[value=prints] + span")
    assert browser.run("location.hash") == "#refine-03&axis=prints"
    # The two baselines have no such figure.
    assert browser.run(MARKS) == everything - 2
    browser.click(".axis-plot.on [data-of=refine-07] path")
    assert browser.run(SHOWN) == "refine-07"
    browser.open(address + "#exact&axis=prints", width)
    assert browser.run("document.querySelector('.place').textContent") == "not in this picture"
    browser.click(".panel.on a[href='#about-working']")
    assert browser.run("location.hash") == "#about-working"


def test_a_link_and_the_way_back(browser, address):
    browser.open(f"{address}#tree-01", 360)
    assert browser.run(SHOWN) == "tree-01"
    browser.click(".levels a[href^='#refine']")
    assert browser.run(SHOWN).startswith("refine-")
    assert browser.run("document.querySelector('.panels').getBoundingClientRect().top < innerHeight")
    browser.run("history.back()")
    browser.run("new Promise(done => setTimeout(done, 0))")
    assert browser.run(SHOWN) == "tree-01"


def test_an_address_that_means_nothing_is_left_alone(browser, address):
    for told in ("#nobody&axis=area", "#%E0%A4%A", "#tree-01&axis=weight&source=sun&without=..", "#"):
        browser.open(address + told, 1280)
        assert browser.run(SHOWN).count(",") == 0
        assert browser.run("document.querySelectorAll('.axis-plot.on').length") == 1


def test_without_a_script_everything_is_there(browser, address):
    browser.open(address, 1280, scripts=False)
    browser.ask("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run(SHOWN).count(",") == 17
    assert browser.run("document.querySelectorAll('.axis-plot').length") == 4
    assert browser.run("[...document.querySelectorAll('.axis-plot')].every(p => p.checkVisibility())")
    assert not browser.run(CONTROLS)


def test_print_shows_the_chosen_circuit_and_no_controls(browser, address):
    browser.open(address + "#tree-01", 1280)
    browser.ask("Emulation.setEmulatedMedia", media="print")
    try:
        assert browser.run(SHOWN) == "tree-01"
        assert not browser.run(CONTROLS)
        assert browser.run("[...document.querySelectorAll('.axis-plot')].every(p => p.checkVisibility())")
    finally:
        browser.ask("Emulation.setEmulatedMedia", media="")
