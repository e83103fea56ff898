"""The papers of the suite by key. Knows their modules by name only, so it can be asked without PyTorch."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from types import ModuleType

from printedmlp.errors import ConfigError, ToolError

PACKAGE = "printedmlp.reference"
EXTRA = ("torch", "matplotlib")


@dataclass(frozen=True)
class Paper:
    """A published architecture and where its parts are.

    Attributes
    ----------
    key : what it is called on the command line and in file names.
    title, citation : of the publication.
    module : dotted name of the method.
    study : dotted name of the experiments: has `run(context) -> Outcome`.
    tabular : whether the module has `tabular_model(n_features, n_classes)` for a plain feature vector.
    """

    key: str
    title: str
    citation: str
    module: str
    study: str
    tabular: bool


def _paper(key: str, title: str, citation: str, *, tabular: bool = False) -> Paper:
    return Paper(key, title, citation, f"{PACKAGE}.{key}", f"{PACKAGE}.studies.{key}", tabular)


PAPERS: dict[str, Paper] = {
    paper.key: paper
    for paper in (
        _paper(
            "gmlp",
            "Pay Attention to MLPs",
            "Liu, Dai, So, Le, NeurIPS 2021, arXiv:2105.08050",
            tabular=True,
        ),
        _paper(
            "scaling_mlp",
            "Scaling MLPs: A Tale of Inductive Bias",
            "Bachmann, Anagnostidis, Hofmann, NeurIPS 2023, arXiv:2306.13575",
            tabular=True,
        ),
        _paper(
            "bilinear_mlp",
            "Bilinear MLPs enable weight-based mechanistic interpretability",
            "Pearce, Dooms, Rigg, Oramas, Sharkey, ICLR 2025, arXiv:2410.08417",
            tabular=True,
        ),
        _paper(
            "ms_mlp",
            "Mixing and Shifting: Exploiting Global and Local Dependencies in Vision MLPs",
            "Zheng, He, Chen, Zhou, 2022, arXiv:2202.06510",
        ),
        _paper(
            "feature_diversity",
            "Trap of Feature Diversity in the Learning of MLPs",
            "Liu, Wang, Ren, Wang, Yin, Deng, Zhang, 2021, arXiv:2112.00980",
        ),
        _paper(
            "kan",
            "KAN: Kolmogorov-Arnold Networks",
            "Liu, Wang, Vaidya, Ruehle, Halverson, Soljacic, Hou, Tegmark, ICLR 2025, arXiv:2404.19756",
            tabular=True,
        ),
        _paper(
            "kan_or_mlp",
            "KAN or MLP: A Fairer Comparison",
            "Yu, Yu, Wang, 2024, arXiv:2407.16674",
            tabular=True,
        ),
        _paper(
            "spectral_bias",
            "Understanding the Spectral Bias of Coordinate Based MLPs Via Training Dynamics",
            "Lazzari, Liu, 2023, arXiv:2301.05816",
        ),
        _paper(
            "lighthgnn",
            "LightHGNN: Distilling Hypergraph Neural Networks into MLPs for 100x Faster Inference",
            "Feng, Luo, Ying, Gao, ICLR 2024, arXiv:2402.04296",
        ),
        _paper(
            "krd",
            "Quantifying the Knowledge in GNNs for Reliable Distillation into MLPs",
            "Wu, Lin, Huang, Li, ICML 2023, arXiv:2306.05628",
        ),
        _paper(
            "vqgraph",
            "VQGraph: Rethinking Graph Representation Space for Bridging GNNs and MLPs",
            "Yang, Tian, Xu, Liu, Hong, Qu, Zhang, Cui, Zhang, Leskovec, ICLR 2024, arXiv:2308.02117",
        ),
        _paper(
            "kilonerf",
            "KiloNeRF: Speeding up Neural Radiance Fields with Thousands of Tiny MLPs",
            "Reiser, Peng, Liao, Geiger, ICCV 2021, arXiv:2103.13744",
        ),
        _paper(
            "cam",
            "Coordinate-Aware Modulation for Neural Fields",
            "Lee, Rho, Nam, Ko, Park, ICLR 2024, arXiv:2311.14993",
        ),
        _paper(
            "mlpst",
            "MLPST: MLP is All You Need for Spatio-Temporal Prediction",
            "Zhang, Huang, Hu, Zhao, Wang, Liu, Zhang, Qin, Zhao, CIKM 2023, arXiv:2309.13363",
        ),
        _paper(
            "massless",
            "Dynamical evolution of massless particles in star clusters",
            "Flammini Dotti, Kouwenhoven, Berczik, Shu, Spurzem, A&A 693 (2025) A166, arXiv:2412.08785",
        ),
    )
}

TABULAR: dict[str, str] = {
    "mlp": f"{PACKAGE}.mlp",
    **{key: paper.module for key, paper in PAPERS.items() if paper.tabular},
}
"""Modules with `tabular_model(n_features, n_classes) -> nn.Module`, the plain MLP first."""


ROW_GRAPHS = ("gcn", "glnn", "krd", "hgnn", "lighthgnn")
"""Networks on the graph that a table's training rows make, and the perceptrons that learn from them."""
ROW_GRAPH_MODULE = f"{PACKAGE}.row_graph"
TABLE_KEYS = (*TABULAR, *ROW_GRAPHS)
"""Everything that can be trained on a table."""


def find_paper(key: str) -> Paper:
    """The paper of a key; ConfigError with the nearest key for an unknown one."""
    if key in PAPERS:
        return PAPERS[key]
    near = difflib.get_close_matches(key.lower(), PAPERS, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"papers are {', '.join(PAPERS)}"
    raise ConfigError(f"no paper '{key}'; {hint}")


def load_study(key: str) -> ModuleType:
    """The module with a paper's experiments.

    Raises
    ------
    ConfigError : for an unknown key.
    ToolError : PyTorch or matplotlib is not installed.
    """
    return load(find_paper(key).study)


def load(module: str) -> ModuleType:
    """Import a module of the suite; a missing extra is a ToolError that names it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in EXTRA:
            raise
        raise ToolError(
            f"{error.name} is not installed; the float suite needs: pip install 'printedmlp[reference]'"
        ) from None
