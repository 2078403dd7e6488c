"""Level 5: scikit-learn estimators, translated to a TrainConfig and trained by the same loop."""
