"""Scripts that print every figure of the documentation."""
