"""fastmlp's errors on tables beside those of gradient boosting and other multilayer perceptrons."""
