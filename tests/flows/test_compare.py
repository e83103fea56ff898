"""Circuits side by side: the same figures as the run's, what is refused, and the same bytes twice."""

import csv
import json
import shutil

import pytest

from benchmarks.adder_graphs import counted
from flows import compare, compared_rows
from flows.cli import run_command
from flows.compare import Options
from flows.compare_page import SERIES_WORDS, page_files
from flows.compared_levels import BEST, Spread, level_means
from flows.compared_rows import Circuit, Row, check_answers, with_second_form
from flows.compared_runs import check_alike, levels_of, open_finished, tell_other_code, variants
from flows.comparison import PAGE, PICTURE, SHEET, TABLE
from flows.explorer import TEMPLATES
from flows.plot import OUTLINES
from flows.progress import Reporter
from flows.run import MANIFEST, json_text, sha256_text
from hdl.adder_graph import library_version
from hdl.synthesis import netlist_verilog
from printedmlp.circuit import Netlist
from printedmlp.errors import PrintedMLPWarning, VerificationError
from tests.flows.conftest import SMALL

QUIET = Reporter(quiet=True)
STAGES = ("exact", "paper", "tree", "search", "refine")
PORTS = "module top(input [15:0] inp, output [1:0] out); assign out = inp[15:14]; endmodule\n"


@pytest.fixture(scope="module")
def found(run_folder, tmp_path_factory):
    verilog = tmp_path_factory.mktemp("given") / "top.v"
    verilog.write_text(PORTS)
    given = (compare.Foreign.parse(f"{verilog}:a stranger"),)
    return compare.compare([run_folder], Options(STAGES, verilog=given, simulated=False), QUIET)


def refused(capsys, *arguments):
    """The one line that a command is refused with."""
    assert run_command(compare.main, [*map(str, arguments), "--quiet", "--no-proof", "--no-simulation"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    return error


def verdict(row):
    return row.proof["verdict"]


def rows_of(found, series):
    return [row for row in found.rows if row.series == series]


def test_a_designs_row_has_the_figures_that_the_run_wrote(found, run_folder):
    for row in found.rows:
        if row.folder is None or row.series == compared_rows.FOREIGN:
            continue  # the run keeps no record of it
        written = json.loads((run_folder / "designs" / row.id / "measure.json").read_text())
        for key in compared_rows.KEPT:
            assert json.loads(json.dumps(row.figures[key])) == written[key], (row.id, key)
        assert row.validation == written["score"]
        assert row.proof["verdict"] == written["proof"]["integers"]["verdict"]
    assert rows_of(found, "exact")[0].folder.endswith("exact")


def test_every_stage_is_its_own_front(found):
    assert {row.series for row in found.rows} == {*STAGES, "verilog"}
    for stage in STAGES[1:]:
        own = rows_of(found, stage)
        assert [row.area_cm2 for row in own] == sorted(row.area_cm2 for row in own)
        assert [row.merit for row in own] == sorted(row.merit for row in own)


def test_a_strangers_circuit_is_measured_on_the_runs_rows(found):
    (row,) = rows_of(found, "verilog")
    assert (row.id, row.figures["n"]) == ("a stranger", rows_of(found, "exact")[0].figures["n"])
    assert row.figures["cells"] == 0
    assert row.proof["verdict"] in ("as given", "= its Verilog")


def test_the_second_form_of_a_design_is_told_with_its_sensors():
    first, second = {"comparators": 3, "full": {"area_cm2": 2.0}}, {"thermometer": {"area_cm2": 0.5}}
    figures = {"area_cm2": 1.0, "system": first}
    assert with_second_form(figures, {"system": second})["system"] == {**first, **second}
    assert with_second_form(figures, {"system": first}) == figures
    assert with_second_form(figures, None) == figures


def test_levels_by_hand():
    def entry(key, area, score):
        return {"key": key, "area_cm2": area, "score": score}

    front = [entry("a", 1.0, 0.90), entry("b", 2.0, 0.95), entry("c", 3.0, 0.95), entry("d", 4.0, 0.97)]
    found = levels_of(front, exact_score=0.96)
    assert {loss: e["key"] for loss, e in found.items() if e} == {None: "d", 0: "d", 1: "b", 2: "b", 5: "b"}
    assert levels_of(front, exact_score=1.0)[0.0] is None


def a_row(split, accuracy, area, levels):
    figures = {"accuracy": accuracy, "balanced_accuracy": 0.5, "area_cm2": area, "power_mw": {"1": 2 * area}}
    return Row("iris", "tree", f"tree-{split}", figures, "", split=split, levels=levels)


def test_mean_and_spread_by_hand():
    rows = [a_row("p", 0.9, 1.0, (BEST, 0.0)), a_row("q", 0.8, 3.0, (BEST,)), a_row("q", 0.1, 0.5, ())]
    best, no_loss = level_means(rows, "1")
    assert (best.loss, best.n, best.n_splits) == (BEST, 2, 2)
    assert best.accuracy.mean == pytest.approx(0.85)
    assert best.accuracy.deviation == pytest.approx(0.1 / 2**0.5)
    assert (best.area.mean, best.power.mean) == (2.0, 4.0)
    assert (no_loss.n, no_loss.n_splits, no_loss.area) == (1, 2, Spread(1.0, None))


def test_a_figure_that_one_split_lacks_has_no_mean():
    assert Spread.of([1.0, None]) == Spread(None, None)
    assert Spread.of([]) == Spread(None, None)


@pytest.fixture
def copied(run_folder, tmp_path):
    """A copy of the run with other settings in its manifest."""

    def copy(name, **settings):
        folder = tmp_path / name
        shutil.copytree(run_folder, folder)
        manifest = json.loads((folder / MANIFEST).read_text())
        manifest["settings"].update(settings)
        (folder / MANIFEST).write_text(json_text(manifest))
        return folder

    return copy


def edited(folder, stage, name, change):
    """Change a run's JSON file, and the checksum with it."""
    path, manifest = folder / name, json.loads((folder / MANIFEST).read_text())
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json_text(data))
    manifest["stages"][stage]["files"][name] = sha256_text(json_text(data))
    (folder / MANIFEST).write_text(json_text(manifest))


def test_two_splits_have_means(run_folder, copied):
    other = copied("other", seed=1)

    def swap(data):
        data["split"]["train"].append(data["split"]["test"].pop())

    edited(other, "data", "dataset.json", swap)
    found = compare.compare([run_folder, other], Options(("exact", "tree"), proved=False), QUIET)
    assert found.n_splits("iris") == 2
    assert {level.n for level in found.levels} == {2}
    assert {level.accuracy.deviation for level in found.levels} == {0.0}
    page = page_files(found, other)[PAGE]
    assert "mean ± standard deviation" in page
    assert "2 different splits" in page


def test_runs_of_other_code_are_told(run_folder, copied):
    runs = [open_finished(folder, STAGES) for folder in (run_folder, copied("other", seed=1, code="another"))]
    with pytest.warns(PrintedMLPWarning, match="iris: not all runs were made by the same version"):
        tell_other_code(runs)


def test_a_run_that_ended_early_is_told(copied):
    folder = copied("early")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["stages"]["search"]["stopped_early"] = True
    (folder / MANIFEST).write_text(json_text(manifest))
    with pytest.warns(PrintedMLPWarning, match="search ended early"):
        open_finished(folder, STAGES)


@pytest.mark.parametrize(
    ("text", "path", "label", "data_set"),
    [
        ("a/top.v", "a/top.v", "top", None),
        ("top.v:a stranger", "top.v", "a stranger", None),
        ("top.v:x@iris", "top.v", "x", "iris"),
        ("top.v:@iris", "top.v", "top", "iris"),
    ],
)
def test_how_a_stranger_is_named(text, path, label, data_set):
    given = compare.Foreign.parse(text)
    assert (given.path.as_posix(), given.label, given.data_set) == (path, label, data_set)


def test_what_tells_runs_of_the_same_rows_apart(run_folder, copied):
    runs = [open_finished(folder, STAGES) for folder in (run_folder, copied("other", restarts=3))]
    check_alike(runs)
    assert list(variants(runs).values()) == ["restarts 2", "restarts 3"]


def test_the_same_bytes_twice(found, run_folder, tmp_path):
    again = compare.compare([run_folder], Options(("tree",)), QUIET)
    twice = compare.compare([run_folder], Options(("tree",)), QUIET)
    assert page_files(again, tmp_path) == page_files(twice, tmp_path)


def test_the_files_agree(found, tmp_path):
    files = page_files(found, tmp_path)
    sheet = list(csv.DictReader(files[SHEET].splitlines()))
    table = json.loads(files[TABLE])
    assert len(sheet) == len(table["rows"]) == len(found.rows)
    for line, row in zip(sheet, table["rows"], strict=True):
        assert float(line["area_cm2"]) == row["figures"]["area_cm2"]
        assert float(line["accuracy"]) == row["figures"]["accuracy"]
        assert line["id"] in files[PAGE]
    assert files[PICTURE].count("<title>") >= len(found.rows)
    assert "test rows choose nothing" not in files[PICTURE]
    assert "http" not in files[PAGE].replace("http://www.w3.org/2000/svg", "").replace(found.technology.source, "")


def test_the_command_writes_a_folder_and_says_where(run_folder, tmp_path, capsys):
    out = tmp_path / "side by side"
    arguments = [str(run_folder), "--stages", "tree", "exact", "--out", str(out), "--no-proof"]
    assert run_command(compare.main, arguments) == 0
    printed = capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == sorted([PAGE, PICTURE, TABLE, SHEET])
    assert f"page: {out / PAGE}" in printed
    assert "always the majority class: 33.3%" in printed
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    assert run_command(compare.main, arguments) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first
    page = (out / PAGE).read_text()
    href = page.split('<a href="')[1].split('"')[0]
    assert (out / href / "netlist.v").is_file()


def test_what_lies_in_the_way_is_left_alone(run_folder, tmp_path, capsys):
    (tmp_path / "letters.txt").write_text("dear")
    assert "holds 'letters.txt' and is no comparison" in refused(capsys, run_folder, "--out", tmp_path)
    assert (tmp_path / "letters.txt").read_text() == "dear"
    assert "is no folder" in refused(capsys, run_folder, "--out", tmp_path / "letters.txt")
    assert "is no comparison" in refused(capsys, run_folder, "--out", run_folder)


def test_a_folder_that_is_no_run(tmp_path, capsys):
    out = ("--out", tmp_path / "out")
    assert "it has no manifest.json" in refused(capsys, tmp_path / "absent", *out)
    (tmp_path / MANIFEST).write_text("[]")
    assert "is not the manifest of a run" in refused(capsys, tmp_path, *out)
    assert not (tmp_path / "out").exists()


def test_a_half_finished_run(copied, tmp_path, capsys):
    folder = copied("half")
    manifest = json.loads((folder / MANIFEST).read_text())
    for stage in ("refine", "designs", "front", "report"):
        del manifest["stages"][stage]
    (folder / MANIFEST).write_text(json_text(manifest))
    assert "stage 'refine' is not done" in refused(capsys, folder, "--out", tmp_path / "out")
    rows = compare.compare([folder], Options(("exact", "tree"), proved=False), QUIET).rows
    assert {row.folder for row in rows} == {None}
    assert {verdict(row) for row in rows} == {"not proved"}
    (row, *_) = compare.compare([folder], Options(("tree",), proved=True), QUIET).rows
    assert verdict(row) == "proved"


def test_a_file_that_is_not_as_the_run_left_it(copied, tmp_path, capsys):
    folder = copied("damaged")
    (folder / "vectors" / "test.csv").write_text("x0,class\n1,0\n")
    assert "test.csv: is not as the run left it" in refused(capsys, folder, "--out", tmp_path / "out")


def test_an_unknown_stage(run_folder, capsys):
    with pytest.raises(SystemExit):
        compare.main([str(run_folder), "--stages", "polish"])
    assert "invalid choice: 'polish'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "config", "message"),
    [
        (
            {"seed": 1, "metric": "macro_f1"},
            {"metric": "macro_f1"},
            "metric macro_f1 does not compare with accuracy",
        ),
        ({"seed": 1, "technology": "cnt_tft"}, {"technology": "cnt_tft"}, "technology"),
        ({"seed": 1}, {"sample_rate": 7.0}, "sample_rate 7.0 does not compare with 5.0"),
        ({"code": "another"}, {}, "has the rows and the settings of"),
    ],
)
def test_runs_that_do_not_compare(run_folder, copied, tmp_path, capsys, settings, config, message):
    folder = copied("other", **settings)
    manifest, path = json.loads((folder / MANIFEST).read_text()), folder / "config.toml"
    lines = path.read_text().splitlines()
    lines = [line for line in lines if line.split(" ")[0] not in config]
    path.write_text("\n".join([*lines, *(f"{key} = {json.dumps(value)}" for key, value in config.items())]) + "\n")
    manifest["stages"]["data"]["files"]["config.toml"] = sha256_text(path.read_text())
    (folder / MANIFEST).write_text(json_text(manifest))
    assert message in refused(capsys, run_folder, folder, "--out", tmp_path / "out")


def test_another_table_of_the_same_name(run_folder, copied, tmp_path, capsys):
    folder = copied("other", seed=1)
    edited(folder, "data", "dataset.json", lambda data: data.update(sha256="0" * 64))
    line = refused(capsys, run_folder, folder, "--out", tmp_path / "out")
    assert "table (sha256) 000000000000 does not compare" in line


def test_two_data_sets_have_a_panel_each_and_a_stranger_names_his(run_folder, copied, tmp_path, capsys):
    folder = copied("other")
    edited(folder, "data", "dataset.json", lambda data: data.update(name="tulips"))
    (tmp_path / "top.v").write_text(PORTS)
    line = refused(capsys, run_folder, folder, "--verilog", tmp_path / "top.v", "--out", tmp_path / "out")
    assert "name its data set, FILE:LABEL@DATA_SET, of iris, tulips" in line
    line = refused(capsys, run_folder, folder, "--verilog", f"{tmp_path}/top.v:a@roses", "--out", tmp_path / "out")
    assert "no run of 'roses' is compared" in line
    given = (compare.Foreign.parse(f"{tmp_path}/top.v:a@tulips"),)
    found = compare.compare([run_folder, folder], Options(("tree",), verilog=given, simulated=False), QUIET)
    assert {row.data_set for row in rows_of(found, "verilog")} == {"tulips"}
    files = page_files(found, tmp_path)
    assert files[PAGE].count('<svg class="plot" viewBox="0 0 560') == 2
    assert "tulips" in files[PICTURE]


@pytest.mark.parametrize(
    ("verilog", "message"),
    [
        (PORTS.replace("] inp", "] x").replace("inp[", "x["), "top.v: module 'top' has the ports"),
        (PORTS.replace("[15:0] inp", "[15:0] inp, input clk"), "ports"),
        (PORTS.replace("15:0", "31:0"), "inp has 32 bits; the rows of"),
        (PORTS.replace("1:0] out", "19:0] out"), "out has 20 bits"),
        ("module top(", "syntax error"),
    ],
)
def test_a_strangers_circuit_that_is_none(run_folder, tmp_path, capsys, verilog, message):
    (tmp_path / "top.v").write_text(verilog)
    line = refused(capsys, run_folder, "--verilog", tmp_path / "top.v", "--out", tmp_path / "out")
    assert message in line
    assert not (tmp_path / "out").exists()


def test_runs_of_several_efforts_leave_the_choice_to_the_user(run_folder, copied, tmp_path, capsys):
    folder, path = copied("other", effort="standard"), "config.toml"
    text = (folder / path).read_text().replace('effort = "quick"', 'effort = "standard"')
    (folder / path).write_text(text)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["stages"]["data"]["files"][path] = sha256_text(text)
    (folder / MANIFEST).write_text(json_text(manifest))
    (tmp_path / "top.v").write_text(PORTS)
    line = refused(capsys, run_folder, folder, "--verilog", tmp_path / "top.v", "--out", tmp_path / "out")
    assert "the runs of iris were mapped with quick and standard; choose one with --effort" in line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label,accuracy\n", "has no column 'area_cm2'"),
        (
            "label,accuracy,area_cm2,power_mw\na,87.3,1,1\n",
            "line 2, column 'accuracy': '87.3' is not a number in 0..1",
        ),
        ("label,accuracy,area_cm2,power_mw\na,0.9,,1\n", "accuracy and area_cm2 must be given"),
        ("label,accuracy,area_cm2,power_mw,data_set\na,0.9,1,1,roses\n", "'roses' is not one of iris"),
    ],
)
def test_published_figures_that_are_none(run_folder, tmp_path, capsys, text, message):
    (tmp_path / "others.csv").write_text(text)
    line = refused(capsys, run_folder, "--published", tmp_path / "others.csv", "--out", tmp_path / "out")
    assert message in line


def test_published_figures_stand_beside_the_rest(run_folder, tmp_path):
    (tmp_path / "others.csv").write_text("label,accuracy,area_cm2,power_mw\na <tree>,0.9,0.5,\n")
    options = Options(("tree",), published=tmp_path / "others.csv", proved=False)
    found = compare.compare([run_folder], options, QUIET)
    (row,) = rows_of(found, "published")
    assert (row.id, row.accuracy, row.area_cm2, row.run) == ("a <tree>", 0.9, 0.5, None)
    files = page_files(found, tmp_path)
    assert "a &lt;tree&gt;" in files[PICTURE]
    assert "<tree>" not in files[PAGE] + files[PICTURE]


def networks(run_folder):
    run = open_finished(run_folder, STAGES)
    return run, Circuit.of(run, run.front_of("exact")[0])


def test_a_circuit_with_one_flipped_output_is_found(run_folder):
    run, circuit = networks(run_folder)
    assert check_answers("exact", circuit.netlist, run, circuit.model) > 10_000
    first, *others = circuit.netlist.outputs
    broken = Netlist(circuit.netlist.n_inputs, circuit.netlist.instances, (*others, first))
    with pytest.raises(VerificationError, match="exact: its adder graph answers otherwise for the codes"):
        check_answers("exact", broken, run, circuit.model)


def test_without_the_library_the_rest_is_compared(run_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(compare, "library_version", lambda: None)
    arguments = [str(run_folder), "--stages", "tree", "--adder-graphs", "--out", str(tmp_path / "out"), "--quiet"]
    assert run_command(compare.main, arguments) == 0
    assert capsys.readouterr().err == (
        "warning: da4ml is not installed (pip install '.[adders]'); adder graphs are left out\n"
    )


@pytest.mark.skipif(library_version() is None, reason="da4ml is not installed")
def test_adder_graphs_stand_beside_our_own_adders(run_folder, tmp_path):
    found = compare.compare([run_folder], Options(("exact",), adder_graphs=1, proved=False), QUIET)
    (own,), (row,) = rows_of(found, "exact"), rows_of(found, "adders")
    assert row.accuracy == own.accuracy
    assert row.beside["area_cm2"] == own.area_cm2
    assert (row.proof["verdict"], row.sha256 == own.sha256) == ("simulated", False)
    assert "shared adder graphs" in page_files(found, tmp_path)[PAGE]


def test_every_series_has_a_colour_and_words():
    style = "".join((TEMPLATES / name).read_text() for name in ("report.css", "compare.css"))
    assert {series for series in OUTLINES if f".stage-{series} {{ color: #" not in style} <= {"textbook", "exact"}
    assert set(SERIES_WORDS) == set(OUTLINES)


def test_the_benchmark_counts_who_is_smaller():
    assert counted([2.0, 1.0, 1.0001, 0.5]) == "ours smaller in 1, the graph in 1, the same in 2; mean 1.000"


def test_the_hash_of_a_row_is_its_netlists(found, run_folder):
    run, circuit = networks(run_folder)
    (row,) = rows_of(found, "exact")
    assert row.sha256 == sha256_text(netlist_verilog(circuit.netlist, run.technology))
    assert SMALL["dataset"] == row.data_set
