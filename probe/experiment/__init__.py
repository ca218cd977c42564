"""What probes share: pairs of embeddings, the design of folds, layers, result reuse."""
