"""fastmlp measured beside other ways to train the same network on the same cores."""
