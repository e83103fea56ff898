"""Tests of README, pages and the files beside them: what they say is run, read and compared."""
