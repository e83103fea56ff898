"""The papers by key, without PyTorch."""

import subprocess
import sys

import pytest

from printedmlp.errors import ConfigError, ToolError
from printedmlp.reference.registry import PAPERS, ROW_GRAPHS, TABLE_KEYS, TABULAR, find_paper, load

WITHOUT_TORCH = "import sys; sys.modules['torch'] = None; sys.modules['matplotlib'] = None; "


def run_without_torch(code):
    return subprocess.run([sys.executable, "-c", WITHOUT_TORCH + code], capture_output=True, text=True, check=False)


def test_a_paper_knows_its_modules():
    paper = find_paper("gmlp")
    assert paper.title == "Pay Attention to MLPs"
    assert paper.module == "printedmlp.reference.gmlp"
    assert paper.study == "printedmlp.reference.studies.gmlp"


def test_keys_are_those_of_the_papers():
    assert all(key == paper.key for key, paper in PAPERS.items())


def test_the_plain_network_comes_first_of_those_for_tables():
    assert next(iter(TABULAR)) == "mlp"
    assert set(TABULAR) - {"mlp"} == {key for key, paper in PAPERS.items() if paper.tabular}


def test_everything_for_tables_has_a_key_of_its_own():
    assert (*TABULAR, *ROW_GRAPHS) == TABLE_KEYS
    assert len(set(TABLE_KEYS)) == len(TABLE_KEYS)


def test_an_unknown_paper_is_named_with_the_nearest():
    with pytest.raises(ConfigError, match=r"no paper 'gmpl'; did you mean 'gmlp'\?"):
        find_paper("gmpl")
    with pytest.raises(ConfigError, match="papers are gmlp, scaling_mlp"):
        find_paper("transformer")


def test_another_missing_module_is_a_defect_and_not_a_missing_extra():
    with pytest.raises(ModuleNotFoundError):
        load("printedmlp.reference.nowhere")


def test_without_torch_the_package_and_the_registry_work():
    done = run_without_torch("import printedmlp.dataset, printedmlp.reference.registry as r; print(len(r.PAPERS))")
    assert (done.stdout.strip(), done.stderr) == (str(len(PAPERS)), "")


def test_without_torch_a_study_is_refused_with_the_remedy():
    done = run_without_torch(
        "from printedmlp.reference.registry import load\n"
        "try: load('printedmlp.reference.mlp')\n"
        "except Exception as e: print(type(e).__name__, e)"
    )
    assert done.stdout.strip() == (
        f"{ToolError.__name__} torch is not installed; the float suite needs: pip install 'printedmlp[reference]'"
    )
