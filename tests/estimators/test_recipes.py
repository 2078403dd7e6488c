"""Estimators with a recipe: fastmlp.fit trains them, and given parameters take precedence."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import fastmlp
from fastmlp import ConfigError, Dataset, MLPClassifier, MLPRegressor, TrainConfig
from fastmlp.estimators.recipe_settings import SETTINGS, config_of, open_parameters

NAME = "tabular-fast"
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
VALUES = 1e4 + 300 * X[:, 0]
LABELS = np.where(X[:, 0] > 0.3, "yes", "no")
FEW = {"max_iter": 3, "random_state": 4}
SMALL: dict[str, Any] = {**FEW, "hidden_layer_sizes": (8,)}
CONFIG: dict[str, Any] = {"epochs": 3, "seed": 4, "split": "none", "hidden_layer_sizes": (8,)}


def classifier(**parameters: Any) -> MLPClassifier:
    return MLPClassifier.from_recipe(NAME, **{**SMALL, **parameters})


def regressor(**parameters: Any) -> MLPRegressor:
    return MLPRegressor.from_recipe(NAME, **{**SMALL, **parameters})


def frame() -> Any:
    pd = pytest.importorskip("pandas")
    colours = np.where(X[:, 1] > 0, "red", "blue").astype(object)
    colours[::10] = None
    return pd.DataFrame(
        {"x": X[:, 0], "colour": colours, "z": np.where(X[:, 2] > 1, np.nan, X[:, 2])}
    )


def test_fits_equal_those_of_the_recipe() -> None:
    rows = frame()
    config = TrainConfig.from_recipe(NAME, epochs=3, seed=4, split="none")
    own = MLPClassifier.from_recipe(NAME, **FEW).fit(rows, LABELS)
    theirs = fastmlp.fit(config, Dataset(rows, LABELS))
    np.testing.assert_array_equal(own.predict_proba(rows), theirs.predictor.predict_proba(rows))
    np.testing.assert_array_equal(own.predict(rows), theirs.predictor.predict(rows))
    assert own.loss_curve_ == theirs.history["train_loss"]
    assert own.validation_loss_curve_ == theirs.history["validation_loss"]
    assert (own.n_iter_, own.loss_) == (3, own.loss_curve_[-1])
    assert list(own.classes_) == ["no", "yes"] and own.out_activation_ == "logistic"
    own = MLPRegressor.from_recipe(NAME, **FEW).fit(rows, VALUES)
    theirs = fastmlp.fit(config, Dataset(rows, VALUES))
    np.testing.assert_array_equal(own.predict(rows), theirs.predictor.predict(rows))


def test_the_recipe_resolves_by_the_data() -> None:
    labels = np.arange(len(X)) % 3  # two classes have no smoothing
    smoothed = MLPClassifier.from_recipe(NAME, **FEW).fit(X, labels)
    sharp = MLPClassifier.from_recipe(NAME, **FEW, label_smoothing=0.0).fit(X, labels)
    assert sharp.loss_curve_ != smoothed.loss_curve_
    config = config_of(smoothed, 0)
    assert config.rules == TrainConfig.from_recipe(NAME, epochs=config.epochs).rules


@pytest.mark.parametrize(
    ("parameters", "settings"),
    [
        ({"hidden_layer_sizes": 5}, {"hidden_layer_sizes": (5,)}),
        ({"layers": "dense(5), dropout(0.2)"}, {"layers": ("dense(5)", "dropout(0.2)")}),
        ({"activation": "logistic"}, {"activation": "sigmoid"}),
        ({"solver": "sgd", "momentum": 0.5},
         {"optimizer": "sgd(momentum=0.5, nesterov=true, with_rate=true)"}),
        ({"solver": "rmsprop"}, {"optimizer": "rmsprop"}),
        ({"alpha": 0.1}, {"l2": 0.1, "penalty_per_row": True}),
        ({"batch_size": "auto"}, {"batch_size": 200}),
        ({"batch_size": 16}, {"batch_size": 16}),
        ({"learning_rate_init": 0.02}, {"learning_rate": 0.02}),
        ({"max_iter": 200}, {"epochs": 200}),  # the default without a recipe
        ({"shuffle": False}, {"sampling": "in_order"}),
        ({"tol": 0.5}, {"min_delta": 0.5, "improvement": "single"}),
        ({"early_stopping": False}, {"early_stopping": 0}),
        ({"early_stopping": True, "n_iter_no_change": 4}, {"early_stopping": 5}),
        ({"early_stopping": False, "n_iter_no_change": 4},
         {"early_stopping": 5, "monitor": "train_loss"}),
        ({"n_iter_no_change": np.inf}, {"early_stopping": 0}),
        ({"validation_fraction": 0.3}, {"validation": 0.3}),
        ({"loss": "squared_error"}, {"loss": "squared_error"}),
        ({"loss": "log_loss"}, {"loss": "auto"}),
        ({"label_smoothing": 0.3}, {"label_smoothing": 0.3}),
        ({"schedule": "constant"}, {"schedule": "constant"}),
        ({"weight_init": "he_normal"}, {"weight_init": "he_normal"}),
        ({"bias_init": "constant(1)"}, {"bias_init": "constant(value=1.0)"}),
        ({"min_frequency": 9}, {"min_frequency": 9}),
    ],
)  # fmt: skip
def test_given_parameters_take_precedence(
    parameters: dict[str, Any], settings: dict[str, Any]
) -> None:
    config = config_of(MLPClassifier.from_recipe(NAME, **parameters), 0)
    assert {name: getattr(config, name) for name in settings} == settings
    expected = TrainConfig.from_recipe(NAME, **settings, split="none", data="auto")
    assert config.replace(seed=0) == expected.replace(seed=0)


def test_early_stopping_of_a_recipe_without_any_has_the_usual_patience() -> None:
    model = MLPClassifier.from_recipe("mnist-98", early_stopping=True)
    config = config_of(model, 0)
    assert (config.early_stopping, config.validation) == (11, 0.1)


def test_a_parameter_that_is_not_given_is_the_recipes() -> None:
    for cls in (MLPClassifier, MLPRegressor):
        model = cls.from_recipe(NAME)
        assert all(getattr(model, name) is None for name in open_parameters(model))
        assert set(open_parameters(model)) <= set(SETTINGS)
    assert set(open_parameters(MLPClassifier)) == set(SETTINGS)


def test_clones_copies_and_searches_keep_the_recipe() -> None:
    model = classifier()
    same = [clone(model), pickle.loads(pickle.dumps(model)), classifier().set_params(max_iter=3)]
    model.fit(X, LABELS)
    for other in same:
        np.testing.assert_array_equal(other.fit(X, LABELS).predict_proba(X), model.predict_proba(X))
    fitted = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(fitted.predict_proba(X), model.predict_proba(X))
    search = GridSearchCV(classifier(), {"max_iter": [1, 2]}, cv=2).fit(X, LABELS)
    assert search.best_estimator_.n_iter_ == search.best_params_["max_iter"]


def test_random_state_decides_the_result() -> None:
    curves = [regressor(random_state=s).fit(X, VALUES).loss_curve_ for s in (4, 4, 5)]
    assert curves[0] == curves[1] != curves[2]
    state = np.random.RandomState(0)
    drawn = [regressor(random_state=state).fit(X, VALUES).loss_curve_ for _ in range(2)]
    assert drawn[0] != drawn[1]


def test_weights_of_rows_and_classes_apply() -> None:
    plain = classifier().fit(X, LABELS)
    weighted = classifier().fit(X, LABELS, sample_weight=1.0 + (LABELS == "yes"))
    by_class = classifier(class_weight={"yes": 2.0, "no": 1.0}).fit(X, LABELS)
    assert plain.loss_curve_ != weighted.loss_curve_ == by_class.loss_curve_


def test_validation_rows_replace_held_out_ones() -> None:
    model = classifier().fit(X, LABELS, X_val=X[:30], y_val=LABELS[:30])
    p = np.clip(model.predict_proba(X[:30]), 1e-7, 1)
    loss = -np.log(p[np.arange(30), (LABELS[:30] == "yes").astype(int)]).mean()
    assert min(model.validation_loss_curve_) == pytest.approx(loss, rel=1e-4)
    with pytest.raises(ValueError, match="must be given together, got no y_val"):
        classifier().fit(X, LABELS, X_val=X[:30])
    with pytest.raises(ValueError, match="y_val"):
        classifier().fit(X, LABELS, X_val=X[:30], y_val=np.full(30, "maybe"))


def test_tasks_of_several_classes_labels_and_outputs() -> None:
    three = np.digitize(X[:, 0], [-0.5, 0.5])
    model = classifier().fit(X.tolist(), three.tolist())
    assert model.predict_proba(X).shape == (120, 3) and set(model.predict(X)) <= {0, 1, 2}
    labels = (X[:, :2] > 0).astype(int)
    assert classifier().fit(X, labels).predict(X).shape == (120, 2)
    several = np.column_stack([VALUES, -VALUES])
    model = regressor(max_iter=100).fit(X, several)
    assert model.predict(X).shape == (120, 2) and model.score(X, several) > 0.5


def test_chosen_categories_are_categories() -> None:
    rows = np.column_stack([X[:, 0], np.arange(120) % 4])
    for chosen in ([1], np.array([False, True])):
        model = classifier(categorical_features=chosen).fit(rows, LABELS)
        assert model.predictor_.encoding.kinds == ("number", "category")
    assert classifier(categorical_features=None).fit(rows, LABELS).predictor_.encoding is None


def test_columns_of_other_names_are_refused() -> None:
    rows = frame()
    model = classifier().fit(rows, LABELS)
    assert list(model.feature_names_in_) == ["x", "colour", "z"] and model.n_features_in_ == 3
    with pytest.raises(ValueError, match="feature names"):
        model.predict(rows.rename(columns={"x": "y"}))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(rows[["x", "colour"]])
    model = classifier().fit(X, LABELS)
    with pytest.raises(ValueError, match=r"X has 2 features, but .* expecting 3"):
        model.predict(X[:, :2])


def test_columns_that_training_leaves_out_are_still_part_of_the_rows() -> None:
    rows = frame().assign(constant="same", name=[f"id {k}" for k in range(120)])
    model = classifier()
    with pytest.warns(UserWarning, match="constant|identifier|left out"):
        model.fit(rows, LABELS)
    expected = classifier().fit(frame(), LABELS).predict_proba(frame())
    np.testing.assert_array_equal(model.predict_proba(rows), expected)
    plain = np.column_stack([X[:, 0], np.ones(120), np.arange(120) % 4])
    model = classifier(categorical_features=[2]).fit(plain, LABELS)
    assert model.predict(plain).shape == (120,) and model.n_features_in_ == 3


def test_a_fit_without_the_recipe_leaves_nothing_of_it() -> None:
    model = MLPClassifier(hidden_layer_sizes=(4,), max_iter=2, random_state=0)
    with pytest.warns(UserWarning):
        expected = clone(model).fit(X, LABELS).predict_proba(X)
    with_recipe = classifier().fit(X, LABELS)
    assert not hasattr(with_recipe, "coefs_")
    with_recipe.set_params(**model.get_params())
    with pytest.warns(UserWarning):
        with_recipe.fit(X, LABELS)
    assert not hasattr(with_recipe, "predictor_")
    np.testing.assert_array_equal(with_recipe.predict_proba(X), expected)
    with_recipe.set_params(**classifier().get_params()).fit(X, LABELS)
    assert not hasattr(with_recipe, "coefs_") and hasattr(with_recipe, "predictor_")


def test_a_failed_fit_keeps_the_previous_model() -> None:
    model = regressor().fit(X, VALUES)
    before = model.predict(X)
    with pytest.raises(ValueError, match=r"infinity|finite|NaN"):
        model.fit(np.where(X > 2, np.inf, X), VALUES)
    np.testing.assert_array_equal(model.predict(X), before)


def test_verbose_prints_the_losses(capsys: pytest.CaptureFixture[str]) -> None:
    model = classifier(verbose=True).fit(X, LABELS)
    printed = capsys.readouterr().out
    assert f"Iteration 3, loss = {model.loss_:.8f}" in printed
    assert printed.count("Validation loss") == 3


class Counter(fastmlp.Callback):
    epochs = 0

    def on_epoch_end(self, run: Any, row: dict[str, Any]) -> None:
        self.epochs += 1


def test_callbacks_are_called() -> None:
    counter = Counter()
    classifier(callbacks=[counter]).fit(X, LABELS)
    assert counter.epochs == 3


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"learning_rate": "adaptive"}, "learning_rate does not go with a recipe.*schedule"),
        ({"power_t": 0.3}, "power_t does not go with a recipe"),
        ({"max_fun": 5}, "max_fun does not go with a recipe"),
        ({"warm_start": True}, "warm_start does not go with a recipe"),
        ({"solver": "lbfgs"}, "'lbfgs' does not go with a recipe"),
        ({"beta_1": 0.5}, "beta_1 belongs to a solver of the estimator's own, got 0.5"),
        ({"max_iter": 0}, "max_iter"),
        ({"layers": "dense(3)"}, "layers"),
        ({"recipe": "tabullar"}, "unknown recipe 'tabullar'; did you mean 'tabular'"),
        ({"recipe": 3}, "recipe"),
    ],
)
def test_parameters_that_would_be_ignored_are_refused(
    parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        classifier(**parameters).fit(X, LABELS)


def test_what_a_recipe_cannot_do_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown recipe 'tabullar'"):
        MLPRegressor.from_recipe("tabullar")
    assert not hasattr(classifier(), "partial_fit")
    with pytest.raises(ValueError, match=r"activation.*None"):
        classifier().set_params(recipe=None).fit(X, LABELS)
    with pytest.raises(TypeError, match="epochs"):
        MLPRegressor.from_recipe(NAME, epochs=3)


def test_callbacks_of_scikit_learn_are_refused() -> None:
    from sklearn.callback import ProgressBar

    with pytest.raises(ConfigError, match="scikit-learn's protocol do not go with a recipe"):
        classifier(callbacks=[ProgressBar()]).fit(X, LABELS)


def test_several_models_are_averaged() -> None:
    rows = frame()
    config = TrainConfig.from_recipe(NAME, **CONFIG, n_models=2)
    for cls, y in ((MLPClassifier, LABELS), (MLPRegressor, VALUES)):
        own = cls.from_recipe(NAME, **SMALL, n_models=2).fit(rows, y)
        theirs = fastmlp.fit(config, Dataset(rows, y)).predictor
        found, spread = own.predict(rows, return_std=True)
        expected, expected_spread = theirs.predict(rows, return_std=True)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_allclose(spread, expected_spread, rtol=1e-5, atol=1e-6)
        assert spread.max() > 0 and own.n_iter_ == 3
