"""Peak memory of a process that trains or predicts; Python and its libraries are part of it."""

import fastmlp

from ._cases import LARGE, SMALL, config
from ._data import images


def _train(rows, **settings):
    return fastmlp.fit(config(epochs=1, **settings), images(rows), threads=1)


class Memory:
    """60,000 images are 47 MB as bytes and 188 MB as float32."""

    def peakmem_import(self):
        fastmlp.fit  # noqa: B018  the name is imported when it is first used

    def peakmem_data(self):
        images(60_000)

    def peakmem_train(self):
        _train(60_000, network=SMALL, mode="stochastic")

    def peakmem_train_large_batch(self):
        _train(10_000, network=LARGE, mode="batch", optimizer="adam")

    def peakmem_predict(self):
        predictor = _train(100, network=SMALL).predictor
        predictor.predict(images(60_000).X, threads=1)
