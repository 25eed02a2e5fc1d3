"""Mathematics: recommenders, the ranker, metrics and explanations."""
