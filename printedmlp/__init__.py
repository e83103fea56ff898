"""Design of printed machine-learning classifiers: data, integer arithmetic, search, circuits as data."""
