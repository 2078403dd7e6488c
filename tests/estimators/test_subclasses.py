"""Subclasses of every form that scikit-learn's estimators allow, beside subclasses of theirs."""

from __future__ import annotations

import pickle
from typing import Any, ClassVar

import numpy as np
import pytest
import sklearn.neural_network
from problems import classes, fit_quietly, numbers
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp
from fastmlp.estimators.constraints import valid_defaults

SETTINGS = {"max_iter": 4, "random_state": 0, "batch_size": 16}
X, Y = classes()


class Tagging:
    """A mixin that takes a parameter and passes the others on."""

    def __init__(self, *, tag: str = "plain", **others: Any):
        super().__init__(**others)
        self.tag = tag


class Scoring:
    """A mixin without parameters."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        return 100 * super().score(X, y, sample_weight)  # type: ignore[misc]


def forms(base: Any) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Subclasses of an estimator by their kind, each with valid parameters."""

    class Before(base):  # type: ignore[misc]
        def __init__(self, width: int = 8):
            super().__init__(hidden_layer_sizes=(width,), **SETTINGS)
            self.width = width

    class After(base):  # type: ignore[misc]
        def __init__(self, width: int = 8):
            self.width = width
            super().__init__(hidden_layer_sizes=(width,), **SETTINGS)

    class Fewer(base):  # type: ignore[misc]
        def __init__(self, alpha: float = 0.01, max_iter: int = 4):
            super().__init__(alpha=alpha, max_iter=max_iter, random_state=0, batch_size=16)

    class More(base):  # type: ignore[misc]
        def __init__(
            self, hidden_layer_sizes: Any = (5,), max_iter: int = 4, random_state: Any = 0,
            alpha: float = 0.1, *, power: float = 1.0,
        ):  # fmt: skip
            super().__init__(
                hidden_layer_sizes=hidden_layer_sizes, max_iter=max_iter,
                random_state=random_state, alpha=alpha,
            )  # fmt: skip
            self.power = power

        def fit(self, X: Any, y: Any, **others: Any) -> Any:
            return super().fit(np.sign(X) * np.abs(X) ** self.power, y, **others)

    class Late(base):  # type: ignore[misc]
        def __init__(self, width: int = 6, depth: int = 2):
            self.width, self.depth = width, depth
            super().__init__(**SETTINGS)

        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            self.hidden_layer_sizes = (self.width,) * self.depth
            return super().fit(X, y, sample_weight=sample_weight)

    class ByPosition(base):  # type: ignore[misc]
        def __init__(self, width: int = 7):
            first = ("squared_error",) if "Regressor" in base.__name__ else ()
            super().__init__(*first, (width,), "tanh", **SETTINGS)
            self.width = width

    class Keywords(base):  # type: ignore[misc]
        def __init__(self, extra: int = 1, **others: Any):
            super().__init__(**{**SETTINGS, **others})
            self.extra = extra

    class Plain(base):  # type: ignore[misc]
        """Adds a method only."""

        def sizes(self) -> list[int]:
            return [len(w) for w in self.coefs_]

    class Mixed(Tagging, Scoring, base):  # type: ignore[misc]
        def __init__(self, tag: str = "mixed", max_iter: int = 4):
            super().__init__(tag=tag, max_iter=max_iter, random_state=0)

    class Inherited(Tagging, base):  # type: ignore[misc]
        """Takes the mixin's __init__."""

    class Grandchild(Before):
        def __init__(self, width: int = 4, height: int = 3):
            super().__init__(width=width)
            self.height = height

    class ByHand(base):  # type: ignore[misc]
        """Sets scikit-learn's parameters itself, and calls no other __init__."""

        def __init__(self, width: int = 5):
            self.width = width
            own = {
                "loss": "log_loss",
                **getattr(sklearn.neural_network, base.__name__)().get_params(),
            }
            for name, value in {**own, **SETTINGS, "hidden_layer_sizes": (width,)}.items():
                setattr(self, name, value)

    class Constrained(base):  # type: ignore[misc]
        _parameter_constraints = {**base._parameter_constraints, "width": [int]}  # noqa: RUF012

        def __init__(self, width: int = 5):
            super().__init__((width,) if "Classifier" in base.__name__ else "squared_error")
            self.set(width)

        def set(self, width: int) -> None:
            self.width, self.hidden_layer_sizes = width, (width,)
            for name, value in SETTINGS.items():
                setattr(self, name, value)

    return {
        "before": (Before, {"width": 3}), "after": (After, {"width": 3}),
        "fewer": (Fewer, {"alpha": 1.0}), "more": (More, {"power": 2.0, "alpha": 2.0}),
        "late": (Late, {"width": 3, "depth": 1}), "by position": (ByPosition, {"width": 3}),
        "keywords": (Keywords, {"extra": 2}), "plain": (Plain, SETTINGS),
        "mixed": (Mixed, {"tag": "other", "max_iter": 2}),
        "inherited": (Inherited, {"tag": "other"}), "grandchild": (Grandchild, {"width": 2}),
        "by hand": (ByHand, {"width": 3}), "constrained": (Constrained, {"width": 3}),
    }  # fmt: skip


NAMES = list(forms(fastmlp.MLPClassifier))
PROBLEMS = {"MLPClassifier": (X, Y), "MLPRegressor": numbers()}


def pair(name: str, form: str) -> tuple[Any, Any, dict[str, Any]]:
    """A subclass of scikit-learn's estimator, the same of ours, and parameters for both."""
    theirs, parameters = forms(getattr(sklearn.neural_network, name))[form]
    return theirs, forms(getattr(fastmlp, name))[form][0], parameters


@pytest.mark.parametrize("form", NAMES)
@pytest.mark.parametrize("name", PROBLEMS)
def test_subclass_behaves_as_subclass_of_scikit_learns_class(name: str, form: str) -> None:
    theirs, ours, parameters = pair(name, form)
    X, y = PROBLEMS[name]
    for given in ({}, parameters):
        one, other = theirs(**given), ours(**given)
        if form != "plain":  # which has our further parameters, too
            assert other.get_params() == one.get_params()
        for model in (one, other):
            model.random_state = 0
            fit_quietly(model, X, y)
        assert [w.shape for w in other.coefs_] == [w.shape for w in one.coefs_]
        np.testing.assert_allclose(other.coefs_[0], one.coefs_[0], rtol=1e-6)
        np.testing.assert_allclose(other.score(X, y), one.score(X, y), rtol=1e-6)
        fit_quietly(other, X, y, method="partial_fit")
        assert np.isfinite(other.loss_)


@pytest.mark.parametrize("form", NAMES)
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_subclass_can_be_cloned_set_and_printed(name: str, form: str) -> None:
    _, ours, parameters = pair(name, form)
    model = ours(**parameters)
    assert clone(model).get_params() == model.get_params()
    assert {**ours().set_params(**parameters).get_params(), **parameters} == (
        ours().set_params(**parameters).get_params()
    )
    assert type(model).__name__ in repr(model) and model._repr_html_()
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense'"):
        model.set_params(nonsense=1)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("form", NAMES)
@pytest.mark.parametrize("name", PROBLEMS)
def test_subclass_works_in_searches(name: str, form: str) -> None:
    theirs, ours, parameters = pair(name, form)
    X, y = PROBLEMS[name]
    if form in ("keywords", "inherited"):  # whose random state gets lost in a clone
        return
    key, value = next((k, v) for k, v in parameters.items() if k != "random_state")
    scores = []
    for cls in (theirs, ours):
        model = make_pipeline(StandardScaler(), cls())
        step = f"{cls.__name__.lower()}__{key}"
        default = getattr(cls(), key)
        if form == "plain":
            model.set_params(**{f"{cls.__name__.lower()}__random_state": 0})
        search = GridSearchCV(model, {step: [default, value]}, cv=2).fit(X, y)
        scores.append(search.cv_results_["mean_test_score"])
    np.testing.assert_allclose(*scores, rtol=1e-6)


class Wide(fastmlp.MLPClassifier):
    """Can be pickled, since it is a module's."""

    def __init__(self, width: int = 8):
        super().__init__((width,), **SETTINGS)
        self.width = width


def test_a_subclass_can_be_pickled() -> None:
    model = fit_quietly(Wide(3), X, Y)
    thawed = pickle.loads(pickle.dumps(model))
    assert type(thawed) is Wide and thawed.width == 3
    np.testing.assert_array_equal(thawed.predict_proba(X), model.predict_proba(X))
    for each in (thawed, model):
        fit_quietly(each, X, Y, method="partial_fit")
    np.testing.assert_array_equal(thawed.coefs_[0], model.coefs_[0])


def test_parameters_of_the_class_itself_are_still_all_kept() -> None:
    for cls in (fastmlp.MLPClassifier, fastmlp.MLPRegressor):
        names = set(cls().get_params())
        assert set(vars(cls())) == names


def test_a_subclass_without_init_arguments_checks_what_it_is_given() -> None:
    with pytest.raises(ValueError, match="hidden_layer_sizes must be > 0"):
        Wide(0).fit(X, Y)

    class Constrained(Wide):
        _parameter_constraints = {"width": [str]}  # noqa: RUF012

    with pytest.raises(ValueError, match="The 'width' parameter of Constrained must be"):
        Constrained(3).fit(X, Y)


def test_defaults_are_checked_by_the_constraints_of_the_class() -> None:
    class Lenient(fastmlp.MLPClassifier):
        def __init__(self, alpha: object = "none", max_iter: object = 2):
            super().__init__(alpha=alpha, max_iter=max_iter)

    class Strict(Lenient):
        _parameter_constraints: ClassVar[dict[str, list[type]]] = {"max_iter": [str]}

    for _ in range(2):
        with pytest.raises(ValueError, match="The 'alpha' parameter of Lenient must be"):
            Lenient().fit(X, Y)
        with pytest.raises(ValueError, match="The 'max_iter' parameter of Lenient must be"):
            Lenient(alpha=0.1, max_iter="2").fit(X, Y)
        with pytest.raises(ValueError, match="The 'max_iter' parameter of Strict must be"):
            Strict(alpha=0.1).fit(X, Y)


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_all_defaults_are_valid(name: str) -> None:
    estimator = getattr(fastmlp, name)()
    assert valid_defaults(type(estimator)) == estimator.get_params()
