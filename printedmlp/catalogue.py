"""The data sets of the UCI Machine Learning Repository that are known by name: columns, checksums, citations.

All are licensed CC BY 4.0. The checksum is that of the table in the documented form
(`printedmlp.builtin.table_bytes`): inputs in the source's order, the class last and as the source codes it, a
missing value as an empty cell.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Layout(NamedTuple):
    """How an original file differs from the documented form.

    `separator` None is white space; `header_rows` are skipped; lines that start with `@` or `%` (ARFF) always
    are; `drop_first` leaves out the first column; `complete_only` the rows with a missing cell.
    """

    separator: str | None = ","
    header_rows: int = 0
    drop_first: bool = False
    complete_only: bool = False


@dataclass(frozen=True)
class Entry:
    """One data set: its archive at UCI, the files in it that are joined, and the table they must give.

    `layout` is None if the original cannot be read here (an Excel workbook); `train_rows` are the rows of the
    official training part, which come first.
    """

    uci_id: int
    archive: str
    members: tuple[str, ...]
    layout: Layout | None
    columns: tuple[str, ...]
    sha256: str
    citation: str
    train_rows: int | None = None

    @property
    def url(self) -> str:
        """Address of the archive, a zip file."""
        return f"https://archive.ics.uci.edu/static/public/{self.uci_id}/{self.archive}.zip"


_UCI = "UCI Machine Learning Repository, CC BY 4.0, https://doi.org"
_CELLS = (
    *("clump_thickness", "cell_size_uniformity", "cell_shape_uniformity", "marginal_adhesion"),
    *("single_epithelial_cell_size", "bare_nuclei", "bland_chromatin", "normal_nucleoli", "mitoses"),
)
_WINE = (
    *("fixed_acidity", "volatile_acidity", "citric_acid", "residual_sugar", "chlorides", "free_sulfur_dioxide"),
    *("total_sulfur_dioxide", "density", "pH", "sulphates", "alcohol"),
)
_SPINE = (
    *("pelvic_incidence", "pelvic_tilt", "lumbar_lordosis_angle", "sacral_slope", "pelvic_radius"),
    "degree_spondylolisthesis",
)
_CTG = (
    *("baseline_fhr", "accelerations", "fetal_movements", "uterine_contractions", "light_decelerations"),
    *("severe_decelerations", "prolonged_decelerations", "abnormal_short_term_variability"),
    *("mean_short_term_variability", "pct_abnormal_long_term_variability", "mean_long_term_variability"),
    *("histogram_width", "histogram_min", "histogram_max", "histogram_peaks", "histogram_zeros", "histogram_mode"),
    *("histogram_mean", "histogram_median", "histogram_variance", "histogram_tendency"),
)
_WOLBERG = f"Wolberg, W. (1990). Breast Cancer Wisconsin (Original). {_UCI}/10.24432/C5HP4Z"
_CORTEZ = f"Cortez, P. et al. (2009). Wine Quality. {_UCI}/10.24432/C56S3T"
_BARRETO = f"Barreto, G. & Neto, A. (2005). Vertebral Column. {_UCI}/10.24432/C5K89B"

CATALOGUE: dict[str, Entry] = {
    "breast_cancer": Entry(
        uci_id=15,
        archive="breast+cancer+wisconsin+original",
        members=("breast-cancer-wisconsin.data",),
        layout=Layout(drop_first=True),
        columns=(*_CELLS, "class"),
        sha256="47ce93eade6aee382dd1fc0d1f63d43966a4081ca2dc1aaa5955d5cbf5ada85c",
        citation=_WOLBERG,
    ),
    "breast_cancer_with_id": Entry(
        uci_id=15,
        archive="breast+cancer+wisconsin+original",
        members=("breast-cancer-wisconsin.data",),
        layout=Layout(complete_only=True),
        columns=("sample_code_number", *_CELLS, "class"),
        sha256="62140b940db5c7f06bdd2378a4d63acd07973e77447281bd1b6c918957371060",
        citation=_WOLBERG,
    ),
    "cardio": Entry(
        uci_id=193,
        archive="cardiotocography",
        members=("CTG.xls",),
        layout=None,
        columns=(*_CTG, "class"),
        sha256="a0c401ac0c4bce63ae46c5169eae88d20236da71cb7408ee1a8f9495f0f434b3",
        citation=f"Campos, D. & Bernardes, J. (2000). Cardiotocography. {_UCI}/10.24432/C51S4N",
    ),
    "pendigits": Entry(
        uci_id=81,
        archive="pen+based+recognition+of+handwritten+digits",
        members=("pendigits.tra", "pendigits.tes"),
        layout=Layout(),
        columns=(*(f"{axis}{point}" for point in range(1, 9) for axis in "xy"), "class"),
        sha256="97d93e28f0cdc4fd4f0ba71e6c8131db37e6c59c8c65359ddd3d01011b6afbd7",
        citation=(
            "Alpaydin, E. & Alimoglu, F. (1996). Pen-Based Recognition of Handwritten Digits. "
            f"{_UCI}/10.24432/C5MG6K"
        ),
        train_rows=7494,
    ),
    "redwine": Entry(
        uci_id=186,
        archive="wine+quality",
        members=("winequality-red.csv",),
        layout=Layout(separator=";", header_rows=1),
        columns=(*_WINE, "class"),
        sha256="f3faab00493c14f3010296c2d90dd6eafd21e9c9f0cde1ba86c211442f3609f2",
        citation=_CORTEZ,
    ),
    "whitewine": Entry(
        uci_id=186,
        archive="wine+quality",
        members=("winequality-white.csv",),
        layout=Layout(separator=";", header_rows=1),
        columns=(*_WINE, "class"),
        sha256="4978c3dbdc06324c1e3860009349e5598eb13e3291d7ebab2a43e3c702d69fdf",
        citation=_CORTEZ,
    ),
    "seeds": Entry(
        uci_id=236,
        archive="seeds",
        members=("seeds_dataset.txt",),
        layout=Layout(separator=None),
        columns=(
            *("area", "perimeter", "compactness", "kernel_length", "kernel_width", "asymmetry_coefficient"),
            *("kernel_groove_length", "class"),
        ),
        sha256="a94b9275dce9406f0ef4419257dd12f374a46d6e56f09902f61e1363c2a8bd4d",
        citation=f"Charytanowicz, M. et al. (2010). Seeds. {_UCI}/10.24432/C5H30K",
    ),
    "vertebral_2c": Entry(
        uci_id=212,
        archive="vertebral+column",
        members=("column_2C_weka.arff",),
        layout=Layout(),
        columns=(*_SPINE, "class"),
        sha256="fb271316fed97237a2cd2f5c67327d5d19d0509ee37eb5dd3b0d8aef42679e69",
        citation=_BARRETO,
    ),
    "vertebral_3c": Entry(
        uci_id=212,
        archive="vertebral+column",
        members=("column_3C_weka.arff",),
        layout=Layout(),
        columns=(*_SPINE, "class"),
        sha256="bf8463eaf0d475c1a69cec4e8d7f5fa4b8fa9fea4d3e76bd1e7a4592189aae67",
        citation=_BARRETO,
    ),
    "mammographic": Entry(
        uci_id=161,
        archive="mammographic+mass",
        members=("mammographic_masses.data",),
        layout=Layout(),
        columns=("bi_rads", "age", "shape", "margin", "density", "class"),
        sha256="d738cb6c7d928ca80e23754da6caa60265e90a575abc4a833c883632a4e234a5",
        citation=f"Elter, M. (2007). Mammographic Mass. {_UCI}/10.24432/C53K6Z",
    ),
}
