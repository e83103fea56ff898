"""One study a paper: trains at a small scale, measures over seeds, checks the claims and draws one picture."""
