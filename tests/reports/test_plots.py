"""What the plots say: by the texts and numbers that matplotlib was given."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastmlp.reports import plots


@pytest.fixture
def axes() -> Axes:
    return Figure().add_subplot()


def history(n: int = 5, **columns: list) -> dict[str, list]:
    falling = list(np.linspace(1, 0.5, n))
    return {
        "epoch": list(range(1, n + 1)), "learning_rate": [0.1] * n,
        "train_loss": falling, "validation_loss": falling[::-1],
        "train_accuracy": falling, "validation_accuracy": falling, **columns,
    }  # fmt: skip


def legend(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_losses_with_the_best_epoch(axes: Axes) -> None:
    table = history()
    plots.loss_curves(table, axes, best_epoch=4)
    assert legend(axes) == ["training", "validation", "best epoch 4"]
    training, validation, best = axes.lines
    assert list(training.get_ydata()) == table["train_loss"]
    assert list(validation.get_ydata()) == table["validation_loss"]
    assert set(best.get_xdata()) == {4}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")


def test_what_was_not_measured_is_left_out(axes: Axes) -> None:
    plots.accuracy_curves(history(validation_accuracy=[None] * 5), axes)
    assert legend(axes) == ["training"]
    assert axes.get_ylabel() == "accuracy"


def test_updates_instead_of_epochs(axes: Axes) -> None:
    plots.loss_curves({**history(), "iteration": [10, 20, 30, 40, 50]}, axes, x="iteration")
    assert list(axes.lines[0].get_xdata()) == [10, 20, 30, 40, 50]
    assert axes.get_xlabel() == "update"


@pytest.mark.parametrize(("least", "scale"), [(0.5, "linear"), (0.001, "log"), (0.0, "linear")])
def test_losses_of_many_magnitudes_get_a_logarithmic_scale(
    axes: Axes, least: float, scale: str
) -> None:
    plots.loss_curves(history(2, train_loss=[1.0, least]), axes)
    assert axes.get_yscale() == scale


def test_the_rate(axes: Axes) -> None:
    plots.rate_curve(history(), axes)
    assert axes.get_ylim() == pytest.approx((0, 0.11))


def test_a_single_epoch_is_a_visible_point(axes: Axes) -> None:
    plots.loss_curves(history(1), axes)
    assert axes.lines[0].get_marker() == "o"


def test_cells_of_a_confusion_matrix_hold_their_counts(axes: Axes) -> None:
    plots.confusion_matrix([[8, 2], [0, 5]], ["cat", "a very long name of a class $1$"], axes)
    assert [text.get_text() for text in axes.texts] == ["8", "2", "5"]
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.8, 0.2], [0, 1]])
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["cat", "a very long nam…"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "actual")


def test_many_classes_have_no_numbers_and_fewer_names(axes: Axes) -> None:
    plots.confusion_matrix(np.eye(60, dtype=int), [str(i) for i in range(60)], axes)
    assert not axes.texts
    assert [text.get_text() for text in axes.get_xticklabels()][:2] == ["0", "3"]


def test_several_labels_are_rows(axes: Axes) -> None:
    plots.label_matrix([[[3, 1], [0, 2]], [[6, 0], [0, 0]]], ["0", "1"], axes)
    assert axes.images[0].get_array().shape == (2, 4)
    assert [text.get_text() for text in axes.texts] == ["3", "1", "2", "6"]


def test_thresholds_are_marked_where_they_are(axes: Axes) -> None:
    positive, score = np.array([0, 0, 1, 1], bool), np.array([0.1, 0.6, 0.4, 0.9])
    plots.roc_curve(positive, score, axes, threshold=0.5)
    assert legend(axes) == ["area 0.7500", "threshold 0.5"]
    mark = axes.lines[-1]
    assert (list(mark.get_xdata()), list(mark.get_ydata())) == ([0.5], [0.5])
    other = Figure().add_subplot()
    plots.precision_recall_curve(positive, score, other, threshold=0.7)
    assert (other.lines[-1].get_xdata()[0], other.lines[-1].get_ydata()[0]) == (0.5, 1)
    assert (other.get_xlabel(), other.get_ylabel()) == ("recall", "precision")


def test_a_threshold_that_nothing_reaches_has_no_precision(axes: Axes) -> None:
    plots.precision_recall_curve([True, False], [0.2, 0.1], axes, threshold=0.9)
    assert len(axes.lines) == 1


def test_regressions(axes: Axes) -> None:
    y = np.linspace(0, 1, 12_000)
    plots.predicted_over_actual(y, y + 0.1, axes)
    points = axes.collections[0].get_offsets()
    assert len(points) == 4000
    np.testing.assert_allclose(points[:, 1] - points[:, 0], 0.1)
    other = Figure().add_subplot()
    plots.residuals(y, y + 0.1, other)
    assert sum(bar.get_height() for bar in other.patches) == len(y)


def test_epochs_have_whole_ticks(axes: Axes) -> None:
    plots.loss_curves(history(6), axes)
    axes.figure.canvas.draw()
    assert all(tick == int(tick) for tick in axes.get_xticks())
