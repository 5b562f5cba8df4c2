"""Scale: the metrics of a hundred million pairs, in bounded memory, with the same results and verdicts."""
