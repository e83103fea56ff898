"""Hidden sizes to start from: the literature's for its data sets, a rule for every other table."""

LITERATURE = {
    "breast_cancer": (3,),
    "breast_cancer_with_id": (3,),
    "cardio": (3,),
    "pendigits": (5,),
    "redwine": (2,),
    "whitewine": (4,),
    "seeds": (3,),
    "balance": (3,),
    "vertebral_3c": (3,),
    "vertebral_2c": (3,),
    "mammographic": (3,),
}
"""Hidden sizes of the printed MLPs of Armeniakos et al. (ETS 2024) and Afentaki et al. (ICCAD 2023, DATE 2024) and
customary ones for the rest."""
FEWEST = 3


def default_hidden(name: str, n_classes: int) -> tuple[int, ...]:
    """Hidden sizes for a data set: the literature's by name, else one layer of half the classes, at least three."""
    return LITERATURE.get(name, (max(FEWEST, (n_classes + 1) // 2),))
