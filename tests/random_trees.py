"""Random decision trees for property tests, small enough to enumerate."""

from hypothesis import strategies as st

from printedmlp.trees import grown


@st.composite
def branches(draw, n_features, input_bits, n_classes, depth):
    """A nested branch; tests repeat on a path and sides are equal more often than in trained trees."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.integers(0, n_classes - 1))
    feature = draw(st.integers(0, n_features - 1))
    threshold = draw(st.integers(1, (1 << input_bits) - 1))
    side = branches(n_features, input_bits, n_classes, depth - 1)
    return feature, threshold, draw(side), draw(side)


@st.composite
def trees(draw, max_features=3, max_bits=4, max_classes=5, max_depth=4):
    """Any tree of few features, reduced or not."""
    sizes = draw(st.integers(1, max_features)), draw(st.integers(1, max_bits)), draw(st.integers(1, max_classes))
    return grown(*sizes, draw(branches(*sizes, max_depth)))
