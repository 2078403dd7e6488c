"""scikit-learn's estimators with this engine: fits of small data, where all but arithmetic counts,
of well-known tables, and of images; partial_fit and predictions of a few rows.
"""

from functools import cache
from warnings import catch_warnings, simplefilter

import numpy as np
from sklearn import datasets
from sklearn.preprocessing import StandardScaler

import fastmlp

from ._cases import few, missing
from ._data import images


def _estimator(name, **settings):
    try:
        return getattr(fastmlp, name)(random_state=0, **settings)
    except AttributeError:
        raise missing(f"no {name}") from None


def _classifier(**settings):
    return _estimator("MLPClassifier", **settings)


def _fit(model, *arguments, method="fit", **options):
    with catch_warnings():
        simplefilter("ignore")  # of few epochs
        return getattr(model, method)(*arguments, **options)


@cache
def _rows(n, features):
    """Return rows and labels of three classes that overlap."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    return rng.normal(size=(n, features)) + y[:, None], y


@cache
def _warm(solver, dtype):
    """Compile or load the kernels of a fit and a prediction."""
    X, y = _rows(150, 4)
    model = _fit(_classifier(solver=solver, max_iter=2), X.astype(dtype), y)
    model.predict(X.astype(dtype))


class Fit:
    """A whole fit with defaults; the smallest is as large as the irises."""

    params = (["adam", "lbfgs"], few([(150, 4), (1500, 64)]))
    param_names = ("solver", "rows and features")
    repeat = (3, 10, 2.0)
    warmup_time = 0

    def setup(self, solver, size):
        _warm(solver, "float64")
        self.X, self.y = _rows(*size)
        # A fixed number of epochs, so that a change of rounding does not change the work.
        self.settings = {"solver": solver, "max_iter": 50, "n_iter_no_change": 50, "tol": 0.0}

    def time_fit(self, solver, size):
        _fit(_classifier(**self.settings), self.X, self.y)


@cache
def _table(name, estimator):
    """Return the standardised rows of a well-known table, and targets of the estimator's kind."""
    if name == "moons":
        X, y = datasets.make_moons(1000, noise=0.2, random_state=0)
    else:
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    if estimator == "MLPRegressor":
        y = y.astype(float)  # the numbers of the classes, where there are classes
    elif name == "diabetes":
        y = y > np.median(y)
    return StandardScaler().fit_transform(X), y


class FitTable:
    """``fit`` with all defaults: at most 200 epochs, fewer where the loss stops falling."""

    params = (
        ["MLPClassifier", "MLPRegressor"],
        few(["iris", "wine", "breast_cancer", "digits", "diabetes", "moons"]),
    )
    param_names = ("estimator", "table")
    repeat = (3, 10, 2.0)
    warmup_time = 0

    def setup(self, estimator, table):
        self.X, self.y = _table(table, estimator)
        _fit(_estimator(estimator, max_iter=2), self.X, self.y)

    def time_fit(self, estimator, table):
        _fit(_estimator(estimator), self.X, self.y)


class FitImages:
    """Two epochs of 4,000 images with defaults: adam, 100 hidden units, batches of 200."""

    params = few(["float32", "float64"])
    param_names = ("dtype",)
    repeat = (3, 10, 3.0)
    warmup_time = 0

    def setup(self, dtype):
        _warm("adam", dtype)
        data = images(4000)
        self.X, self.y = (data.X / 255).astype(dtype), data.y

    def time_fit(self, dtype):
        _fit(_classifier(max_iter=2), self.X, self.y)


class FewRows:
    """What a call costs that hardly computes."""

    repeat = (5, 30, 1.0)
    warmup_time = 0

    def setup(self):
        _warm("adam", "float64")
        self.X, self.y = _rows(150, 4)
        self.model = _fit(_classifier(max_iter=2), self.X, self.y)

    def time_partial_fit(self):
        _fit(self.model, self.X[:15], self.y[:15], method="partial_fit")

    def time_predict(self):
        self.model.predict(self.X[:1])


@cache
def _models(features, classes):
    """Return the rows, an estimator with defaults, and a predictor of the same layout."""
    X, y = _rows(200, features)
    y = np.arange(200) % classes
    estimator = _fit(_classifier(max_iter=2), X, y)
    settings = fastmlp.TrainConfig(
        hidden_layer_sizes=(100,), epochs=1, dtype="float64", validation=0
    )
    predictor = fastmlp.fit(settings, fastmlp.Dataset(X, y), threads=1).predictor
    return X, {"estimator": estimator, "predictor": predictor}


class PredictFewRows:
    """Predictions of few rows, in float64: most of it is not the network."""

    params = (few(["4-100-3", "784-100-10"]), few([1, 100]), ["estimator", "predictor"])
    param_names = ("network", "rows", "model")
    repeat = (5, 30, 1.0)
    warmup_time = 0

    def setup(self, network, rows, model):
        features, _, classes = map(int, network.split("-"))
        X, models = _models(features, classes)
        self.X, self.model = X[:rows], models[model]
        self.model.predict(self.X)

    def time_predict(self, network, rows, model):
        self.model.predict(self.X)
