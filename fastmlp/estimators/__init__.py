"""Floor 5: estimators for scikit-learn: parameters as a TrainConfig, fits by the one loop."""
