"""Ranking, tables, plots and the page of a sweep, from records made by hand."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fastmlp.sweeps.leaderboard import Leaderboard, rank, value_text
from fastmlp.sweeps.reports.curve_svg import curve_svg
from fastmlp.sweeps.reports.folder import write_sweep
from fastmlp.sweeps.reports.page import read_file, sweep_fragment, sweep_page
from fastmlp.sweeps.reports.pictures import ConfigurationFigure, configuration_names, sweep_figures
from fastmlp.sweeps.reports.tables import cell_rows, configuration_rows, csv_text, ranking_table
from trials import trial

TRIALS = [
    trial(0.9, activation="relu", mode="batch", seed=0, learning_rate=0.1),
    trial(0.7, activation="relu", mode="batch", seed=1, learning_rate=0.1),
    trial(0.6, activation="relu", mode="minibatch", batch_size=8, seed=0, learning_rate=0.5),
    trial(0.75, activation="relu", mode="minibatch", batch_size=8, seed=1, learning_rate=0.5),
    trial(0.85, activation="tanh", mode="batch", seed=0, learning_rate=0.5),
    trial(0.95, activation="tanh", mode="minibatch", batch_size=8, seed=0, learning_rate=0.1),
    trial(None, "diverged", activation="tanh", mode="minibatch", batch_size=8, seed=1,
          learning_rate=0.1),
    trial(None, "failed", activation="$x$", mode="batch", seed=0, learning_rate=0.1),
]  # fmt: skip


@pytest.fixture
def board() -> Leaderboard:
    return rank(TRIALS, "validation_accuracy")


def test_configurations_are_ranked_by_their_mean_and_bad_ones_last(board: Leaderboard) -> None:
    found = [(entry.settings["activation"], entry.settings["mode"], entry.status)
             for entry in board.configurations]  # fmt: skip
    assert found == [
        ("tanh", "batch", "finished"), ("relu", "batch", "finished"),
        ("relu", "minibatch", "finished"), ("tanh", "minibatch", "diverged"),
        ("$x$", "batch", "failed"),
    ]  # fmt: skip
    assert board.configurations[1].mean("validation_accuracy") == pytest.approx(0.8)
    assert board.configurations[1].spread("validation_accuracy") == pytest.approx(0.2 / 2**0.5)
    # A size of batches that only one mode has, always the same, tells nothing apart.
    assert board.axes == ["activation", "mode", "learning_rate"]


def test_the_order_of_the_records_does_not_matter(board: Leaderboard) -> None:
    again = rank(reversed(TRIALS), "validation_accuracy")
    assert configuration_rows(again) == configuration_rows(board)
    assert cell_rows(again, TRIALS[::-1]) == cell_rows(board, TRIALS)


def test_less_loss_is_better() -> None:
    found = rank([trial(0.5, l2=0.1), trial(0.6, l2=0.2)], "validation_loss")
    assert [entry.settings["l2"] for entry in found.configurations] == [0.2, 0.1]


def test_later_rounds_go_first() -> None:
    trials = [trial(0.9, l2=0.1, epochs=1), trial(0.95, l2=0.2, epochs=1), trial(0.8, l2=0.1)]
    found = rank(trials, "validation_accuracy", by_epochs=True)
    assert [(e.settings["l2"], e.epochs) for e in found.configurations] == [(0.1, 3), (0.2, 1)]
    assert [row["rank"] for row in cell_rows(found, trials)] == [1, 2, None]


def test_tables_show_what_was_found(board: Leaderboard) -> None:
    table = ranking_table(board)
    assert table.header == (
        "rank", "activation", "mode", "rate", "validation accuracy", "validation loss",
        "95 % of validation accuracy", "tie", "epochs", "seconds", "seeds",
    )  # fmt: skip
    assert table.rows[1][1:5] == ("relu", "batch", "0.1", "0.8000 ± 0.1414")
    assert table.rows[3][8] == "diverged"
    rows = list(csv.DictReader(io.StringIO(csv_text(cell_rows(board, TRIALS), ["train_seconds"]))))
    assert len(rows) == len(TRIALS)
    assert float(rows[0]["validation_accuracy"]) == 0.85
    assert rows[-1]["error"] == "it went <wrong>"
    assert "train_seconds" not in rows[0]


def test_values_are_written_as_they_are_given() -> None:
    values = (None, True, 0.1, 3, "relu", [128, 64], [], ["relu", "tanh"])
    texts = ["", "true", "0.1", "3", "relu", "128-64", "none", "relu-tanh"]
    assert [value_text(value) for value in values] == texts


def test_every_plot_is_drawn(board: Leaderboard) -> None:
    found = {name: draw() for name, draw in sweep_figures(board)}
    assert set(found) == {
        "overview.png", "heat-activation-mode.png", "heat-activation-learning_rate.png",
        "heat-mode-learning_rate.png", "parallel.png", "rates.png", "modes.png",
    }  # fmt: skip
    heat = found["heat-activation-mode.png"].axes[0]
    drawn = {text.get_text() for text in heat.texts}
    assert drawn == {"0.8", "0.675", "0.85", "0.95"}
    titles = [axes.get_title() for axes in found["modes.png"].axes]
    assert titles == ["validation accuracy"]  # what is the same for all tells nothing
    panels = [text.get_text() for text in found["overview.png"].axes[0].texts]
    assert sum(text.startswith(("1 ", "2 ", "3 ", "4 ", "5 ")) for text in panels) == 5
    assert "failed" in panels


class Structure(HTMLParser):
    """The identifiers and links of a page, and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            elif name == "href" and tag == "a":
                self.links.append(str(value))
            elif name in ("src", "href", "xlink:href"):
                self.loaded.append(str(value))


def test_the_page_leads_to_each_configuration_and_loads_nothing(board: Leaderboard) -> None:
    text = sweep_page(board, {"validation_accuracy": 0.85, "test_accuracy": 0.8})
    structure = Structure()
    structure.feed(text)
    assert structure.links.count("#ranking") == 5
    assert {"#c1", "#c2", "#c3", "#c4", "#c5"} < set(structure.links)
    assert {link.removeprefix("#") for link in structure.links} <= set(structure.ids)
    assert not [link for link in structure.loaded if not link.startswith(("#", "data:"))]
    assert "it went &lt;wrong&gt;" in text and "it went <wrong>" not in text
    assert "sortable" in text and "0.8000 ± 0.1414" in text


def test_a_page_without_plots_has_none(board: Leaderboard) -> None:
    assert "<svg" not in sweep_page(board, None, plots=False)


def test_a_notebook_shows_the_winner_and_the_ranking(board: Leaderboard) -> None:
    text = sweep_fragment(board, {"validation_accuracy": 0.85})
    assert "0.8500" in text and "tanh" in text and "<svg" in text


def test_curves_of_the_page_are_small_and_within_their_frame(board: Leaderboard) -> None:
    drawn = curve_svg(board.configurations[1], "loss")
    assert drawn.count('<path class="validation"') == 2
    assert drawn.count('<path class="train"') == 2
    assert len(drawn) < 2500
    points = [tuple(map(float, p)) for p in re.findall(r"[ML]([\d.]+) ([\d.]+)", drawn)]
    assert len(points) >= 4 * 3
    assert all(0 <= x <= 340 and 0 <= y <= 190 for x, y in points)
    assert curve_svg(board.configurations[4], "loss") == ""


def test_names_of_files_are_safe_and_differ() -> None:
    trials = [trial(0.5, loss=text) for text in ("a/../b", "a/./b", "huber(delta=1.0)")]
    names = configuration_names(rank(trials, "validation_accuracy"))
    assert len(set(names)) == 3
    assert not any("/" in name or "(" in name for name in names)


def test_a_folder_holds_no_picture_of_an_earlier_state(board: Leaderboard, tmp_path: Path) -> None:
    (tmp_path / "configurations").mkdir()
    (tmp_path / "configurations" / "old.png").touch()
    write_sweep(tmp_path, board, TRIALS, None)
    assert len(list((tmp_path / "configurations").iterdir())) == 5
    write_sweep(tmp_path, board, TRIALS, None, plots=False)
    assert not list(tmp_path.rglob("*.png"))
    assert "train_seconds" in (tmp_path / "timings.csv").read_text()
    assert "seconds" not in (tmp_path / "ranking.csv").read_text()


def test_metrics_are_points_on_an_axis_that_shows_how_they_differ() -> None:
    trials = [trial(0.931, activation="relu"), trial(0.932, activation="tanh")]
    trials[1].timings["train_seconds"] = 3.0
    found = dict(sweep_figures(rank(trials, "validation_accuracy")))["activations.png"]()
    points, bars = found.axes
    assert points.get_title() == "validation accuracy" and not points.patches
    low, high = points.get_ylim()
    assert 0.93 < low < 0.931 < 0.932 < high < 0.933
    assert bars.get_title() == "training time, s" and bars.get_ylim()[0] == 0


def test_curves_have_whole_epochs(board: Leaderboard) -> None:
    figure = ConfigurationFigure(board.axes, True).draw(board.configurations[0])
    figure.canvas.draw()
    assert all(tick == int(tick) for axes in figure.axes for tick in axes.get_xticks())


def test_data_of_the_page_are_its_curves_and_end_no_element() -> None:
    long = trial(0.9, activation="</script>", learning_rate=0.5)
    epochs = 1001
    long.history["validation_loss"] = [1 / (i + 1) for i in range(epochs)]
    board = rank([long, trial(0.8, activation="relu")], "validation_loss")
    text = sweep_page(board, None)
    content = re.findall(r'<script type="application/json" id="sweep-data">(.*?)</script>', text)
    run = json.loads(content[0])["runs"][0]
    assert run["name"] == "</script>, 0.5" or "</script>" in run["name"]
    curve = run["curves"]["loss"]
    assert len(curve["values"]) <= 200
    last = curve["first"] + curve["step"] * (len(curve["values"]) - 1)
    assert last == epochs
    assert curve["values"][-1] == pytest.approx(1 / epochs, rel=1e-4)


def test_scripts_of_the_page_are_small_and_licensed() -> None:
    bundle = read_file("d3.min.js")
    assert len(bundle.encode()) + len(read_file("sweep.js").encode()) < 100_000
    assert "d3-brush 3.0.1" in bundle and "Permission to use, copy, modify" in bundle
    assert "</script" not in bundle


def test_page_of_a_single_configuration_has_no_plot_to_brush() -> None:
    text = sweep_page(rank([trial(0.8, activation="relu")], "validation_accuracy"), None)
    assert "sweep-data" not in text and "d3" not in text
