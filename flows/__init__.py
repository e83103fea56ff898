"""What a person runs: stages, run folder, command line, report."""
