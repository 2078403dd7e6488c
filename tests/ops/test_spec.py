"""The grammar of specs, over all registries: what is written is read back, and junk is refused."""

from __future__ import annotations

import dataclasses
from typing import Any, get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.base.errors import ConfigError
from fastmlp.ops.activations import ACTIVATIONS, LeakyRelu
from fastmlp.ops.initializers import INITIALIZERS, Constant, RandomNormal
from fastmlp.ops.losses import LOSSES, check_pair, legal_pairs
from fastmlp.ops.optimizers import OPTIMIZERS, SGD, Adam
from fastmlp.ops.scalers import SCALERS
from fastmlp.ops.schedules import SCHEDULES, Plateau
from fastmlp.ops.spec import Registry, Spec

REGISTRIES: list[Registry[Any]] = [
    ACTIVATIONS,
    INITIALIZERS,
    LOSSES,
    OPTIMIZERS,
    SCALERS,
    SCHEDULES,
]
RECORDS = [(registry, record) for registry in REGISTRIES for record in registry.records.values()]
PARAMETRISED = [(registry, record) for registry, record in RECORDS if dataclasses.fields(record)]
ALIASES = [(registry, alias) for registry in REGISTRIES for alias in registry.aliases]
# Mostly inside the usual ranges.
VALUES = {
    float: st.floats(1e-9, 1, exclude_max=True)
    | st.floats(1, 1e9)
    | st.floats(allow_nan=False, allow_infinity=False),
    int: st.integers(0, 1000) | st.integers(),
    bool: st.booleans(),
    tuple[float, ...]: st.lists(st.floats(-1, 2), max_size=4, unique=True).map(sorted).map(tuple),
}

each_registry = pytest.mark.parametrize("registry", REGISTRIES, ids=lambda r: r.kind)
each_record = pytest.mark.parametrize(
    ("registry", "record"), RECORDS, ids=[f"{kind.kind}-{record.name}" for kind, record in RECORDS]
)
each_parametrised = pytest.mark.parametrize(
    ("registry", "record"), PARAMETRISED, ids=[record.name for _, record in PARAMETRISED]
)


def refusal(registry: Registry[Any], spec: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        registry.parse(spec)
    return str(caught.value)


# --- writing and reading back ---


@each_record
def test_name_without_parameters_gives_record_with_defaults(
    registry: Registry[Any], record: type[Spec]
) -> None:
    assert registry.parse(record.name) == record()
    assert str(record()) == record.name
    assert record.formula


@each_parametrised
@given(data=st.data())
def test_what_is_written_is_read_back(
    registry: Registry[Any], record: type[Spec], data: st.DataObject
) -> None:
    hints, values, made = get_type_hints(record), {}, record()
    for field in dataclasses.fields(record):
        drawn = {**values, field.name: data.draw(VALUES[hints[field.name]], field.name)}
        try:
            made, values = record(**drawn), drawn
        except ConfigError:
            continue  # the default stays
    assert registry.parse(str(made)) == made


def test_only_what_differs_from_the_defaults_is_written() -> None:
    assert str(SGD(0.9, True)) == "sgd(momentum=0.9, nesterov=true)"
    assert str(SGD(0.9, False)) == "sgd(momentum=0.9)"
    assert str(Plateau(patience=3)) == "plateau(patience=3)"
    assert str(Constant(-2.0)) == "constant(value=-2.0)"


def test_numbers_of_numpy_are_written_like_others() -> None:
    assert str(LeakyRelu(np.float64(0.25))) == "leaky_relu(slope=0.25)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sgd(0.9)", SGD(0.9)),
        ("sgd(0.9, true)", SGD(0.9, True)),
        ("sgd(momentum=0.9, nesterov=True)", SGD(0.9, True)),
        ("sgd(0.9, nesterov=TRUE)", SGD(0.9, True)),
        ("sgd(nesterov=false)", SGD()),
        ("adam(epsilon=1e-6, beta1=0.5)", Adam(beta1=0.5, epsilon=1e-6)),
        ("adam()", Adam()),
        ("  adam ( 0.5 )  ", Adam(0.5)),
        ("ADAM", Adam()),
    ],
)
def test_values_stand_in_order_or_by_name(text: str, expected: Spec) -> None:
    assert OPTIMIZERS.parse(text) == expected


def test_integer_is_accepted_as_float() -> None:
    value = INITIALIZERS.parse("constant(1)").value  # type: ignore[attr-defined]
    assert value == 1.0 and type(value) is float


def test_hyphens_and_capitals_make_no_difference_in_names() -> None:
    assert INITIALIZERS.parse("He-Normal") == INITIALIZERS.parse("he_normal")


def test_a_record_is_returned_as_it_is() -> None:
    record = Adam(0.5)
    assert OPTIMIZERS.parse(record) is record


def test_equal_specs_are_equal_and_can_be_keys() -> None:
    assert len({OPTIMIZERS.parse("sgd(0.9)"), SGD(0.9), SGD(momentum=0.9), SGD(0.8)}) == 2


# --- aliases ---


@pytest.mark.parametrize(("registry", "alias"), ALIASES, ids=[alias for _, alias in ALIASES])
def test_aliases_stand_for_their_specs(registry: Registry[Any], alias: str) -> None:
    assert alias not in registry.records
    assert registry.parse(alias) == registry.parse(registry.aliases[alias])


def test_the_promised_aliases_exist() -> None:
    promised = {"linear": "identity", "logistic": "sigmoid"}
    assert promised.items() <= ACTIVATIONS.aliases.items()
    assert INITIALIZERS.parse("xavier").name == "glorot_uniform"
    assert INITIALIZERS.parse("gaussian").name == "random_normal"
    assert INITIALIZERS.parse("random") == RandomNormal(0.01)
    assert OPTIMIZERS.parse("nesterov") == SGD(0.9, nesterov=True)
    assert OPTIMIZERS.parse("momentum") == SGD(0.9)


def test_an_alias_of_a_name_takes_its_parameters() -> None:
    assert INITIALIZERS.parse("gaussian(0.2)") == RandomNormal(0.2)


def test_alias_with_fixed_parameters_takes_none() -> None:
    message = refusal(INITIALIZERS, "random(0.2)")
    assert "random_normal(0.01)" in message and "write random_normal(...)" in message


# --- refusals ---


@each_registry
@given(st.text())
def test_junk_is_refused_and_nothing_else(registry: Registry[Any], junk: str) -> None:
    parse_or_refuse(registry, junk)


@each_registry
@given(data=st.data())
def test_junk_parameters_are_refused_and_nothing_else(
    registry: Registry[Any], data: st.DataObject
) -> None:
    # Names, with something between the brackets that has been near Python.
    name = data.draw(st.sampled_from([*registry.records, *registry.aliases]))
    pieces = ["1", "0.5", "-", "1e999", "1" + "0" * 400, "true", "x", "=", ",", " ", "[", "]", "{"]
    pieces += ["}", ":", "(", ")", "'", "*", "**", ".", "\\", "\n", "#", "set()", "momentum", "std"]
    inside = "".join(data.draw(st.lists(st.sampled_from(pieces), max_size=6)))
    parse_or_refuse(registry, f"{name}({inside})")


def parse_or_refuse(registry: Registry[Any], text: str) -> None:
    """ConfigError, or a record that is read back; no other error."""
    try:
        record = registry.parse(text)
    except ConfigError:
        return
    assert registry.parse(str(record)) == record


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(",
        "sgd(",
        "sgd)",
        "sgd(0.9",
        "sgd()()",
        "sgd.adam",
        "sgd adam",
        "sgd; adam",
        "sgd(lambda: 1)",
        "sgd(-true)",
        "sgd([1, 2].pop())",
        "sgd({[]: 1})",
        "sgd(__import__('os'))",
        "1",
        "\x00",
        "sgd(" + "(" * 1000 + ")" * 1000 + ")",
    ],
)
def test_what_is_no_spec_cannot_be_read(text: str) -> None:
    assert "cannot read" in refusal(OPTIMIZERS, text)


@pytest.mark.parametrize("value", [None, 3, 0.5, ["sgd"], SGD])
def test_what_is_no_text_is_refused(value: object) -> None:
    assert "must be given as text" in refusal(OPTIMIZERS, value)


def test_a_record_of_another_kind_is_refused() -> None:
    message = refusal(OPTIMIZERS, LeakyRelu())
    assert message.startswith("optimizer: leaky_relu is not one of sgd, adam")


@pytest.mark.parametrize(
    ("registry", "text", "near"),
    [
        (ACTIVATIONS, "rleu", "relu"),
        (ACTIVATIONS, "leakyrelu", "leaky_relu"),
        (OPTIMIZERS, "adm(0.9)", "adam"),
        (INITIALIZERS, "xaviar", "xavier"),
        (LOSSES, "crossentropy", "cross_entropy"),
    ],
)
def test_an_unknown_name_gets_the_nearest_known_one(
    registry: Registry[Any], text: str, near: str
) -> None:
    message = refusal(registry, text)
    assert message.startswith(f"unknown {registry.kind} ")
    assert message.endswith(f"; did you mean {near!r}?")


@each_registry
def test_a_name_near_nothing_gets_the_list(registry: Registry[Any]) -> None:
    message = refusal(registry, "qqqqqqqq")
    assert "known: " in message and all(name in message for name in registry.names())


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("sgd(momentun=0.9)", "has no parameter 'momentun'; did you mean 'momentum'?"),
        ("sgd(rate=0.9)", "has no parameter 'rate'; did you mean 'with_rate'?"),
        ("sgd(**{'momentum': 0.9})", "has no parameter"),
        ("sgd(0.9, momentum=0.8)", "momentum is given twice"),
        ("sgd(momentum=0.9, momentum=0.8)", "momentum is given twice"),
        ("sgd(0.9, true, true, 3)", "takes momentum, nesterov, with_rate; got 4 values"),
    ],
)
def test_wrong_parameters_are_named(text: str, part: str) -> None:
    assert part in refusal(OPTIMIZERS, text)


def test_name_without_parameters_is_reported() -> None:
    assert "takes no parameters" in refusal(ACTIVATIONS, "relu(1)")
    assert "it takes none" in refusal(ACTIVATIONS, "relu(slope=1)")


@pytest.mark.parametrize(
    ("registry", "text", "rule"),
    [
        (OPTIMIZERS, "sgd(true)", "momentum must be a number, got True"),
        (OPTIMIZERS, "sgd('0.9')", "momentum must be a number, got '0.9'"),
        (OPTIMIZERS, "sgd(nan)", "momentum must be a number, got 'nan'"),
        (OPTIMIZERS, "sgd(1j)", "momentum must be a number, got 1j"),
        (OPTIMIZERS, "sgd(0.9, 1)", "nesterov must be true or false, got 1"),
        (OPTIMIZERS, "sgd(0.9, yes)", "nesterov must be true or false, got 'yes'"),
        (SCHEDULES, "plateau(patience=2.5)", "patience must be a whole number, got 2.5"),
        (SCHEDULES, "plateau(patience=true)", "patience must be a whole number, got True"),
        (INITIALIZERS, "constant(1e999)", "value must be finite, got inf"),
        (INITIALIZERS, "constant(-1e999)", "value must be finite, got -inf"),
        (INITIALIZERS, f"constant({10**400})", "value must be finite, got inf"),
    ],
)
def test_values_of_the_wrong_type_are_refused(
    registry: Registry[Any], text: str, rule: str
) -> None:
    assert rule in refusal(registry, text)


@pytest.mark.parametrize(
    ("registry", "text", "rule"),
    [
        (OPTIMIZERS, "sgd(1)", "sgd: momentum must be at least 0 and below 1, got 1.0"),
        (OPTIMIZERS, "sgd(-0.1)", "momentum must be at least 0 and below 1, got -0.1"),
        (OPTIMIZERS, "sgd(nesterov=true)", "nesterov must be false without momentum, got true"),
        (OPTIMIZERS, "adam(1)", "beta1 must be at least 0 and below 1, got 1.0"),
        (OPTIMIZERS, "adam(beta2=1)", "beta2 must be at least 0 and below 1, got 1.0"),
        (OPTIMIZERS, "adam(epsilon=0)", "epsilon must be above 0, got 0.0"),
        (INITIALIZERS, "random_uniform(0)", "limit must be above 0, got 0.0"),
        (INITIALIZERS, "random_normal(-1)", "std must be above 0, got -1.0"),
        (INITIALIZERS, "orthogonal(0)", "orthogonal: gain must be above 0, got 0.0"),
        (ACTIVATIONS, "elu(0)", "elu: alpha must be above 0, got 0.0"),
        (LOSSES, "huber(0)", "huber: delta must be above 0, got 0.0"),
        (LOSSES, "huber(-1)", "delta must be above 0, got -1.0"),
        (OPTIMIZERS, "adamw(weight_decay=-1)", "weight_decay must be at least 0, got -1.0"),
        (OPTIMIZERS, "adamw(1)", "adamw: beta1 must be at least 0 and below 1, got 1.0"),
        (OPTIMIZERS, "rmsprop(1)", "rmsprop: alpha must be at least 0 and below 1, got 1.0"),
        (OPTIMIZERS, "rmsprop(epsilon=0)", "epsilon must be above 0, got 0.0"),
        (OPTIMIZERS, "rmsprop(momentum=1)", "momentum must be at least 0 and below 1, got 1.0"),
        (SCHEDULES, "constant(warmup=-1)", "constant: warmup must be at least 0, got -1.0"),
        (SCHEDULES, "step(0)", "step: every must be at least 1, got 0"),
        (SCHEDULES, "step(factor=0)", "factor must be above 0 and at most 1, got 0.0"),
        (SCHEDULES, "step(warmup=-1)", "warmup must be at least 0, got -1.0"),
        (SCHEDULES, "exponential(1.5)", "factor must be above 0 and at most 1, got 1.5"),
        (SCHEDULES, "inverse(0)", "power must be above 0, got 0.0"),
        (SCHEDULES, "cosine(2)", "least must be between 0 and 1, got 2.0"),
        (SCHEDULES, "one_cycle(1)", "rise must be between 0 and 1, got 1.0"),
        (SCHEDULES, "one_cycle(start=0.5)", "start must be at least 1, got 0.5"),
        (SCHEDULES, "one_cycle(end=0.5)", "end must be at least 1, got 0.5"),
        (SCHEDULES, "plateau(1)", "factor must be between 0 and 1, got 1.0"),
        (SCHEDULES, "plateau(0)", "factor must be between 0 and 1, got 0.0"),
        (SCHEDULES, "plateau(patience=-1)", "patience must be at least 0, got -1"),
        (SCHEDULES, "plateau(min_delta=-1)", "min_delta must be at least 0, got -1.0"),
        (SCHEDULES, "plateau(min_rate=-1)", "min_rate must be at least 0, got -1.0"),
    ],
)
def test_values_outside_their_range_are_refused(
    registry: Registry[Any], text: str, rule: str
) -> None:
    assert rule in refusal(registry, text)


# --- what goes with what ---


def test_every_legal_pair_passes_and_no_other() -> None:
    legal = set(legal_pairs())
    for output in ACTIVATIONS.names():
        for loss in LOSSES.names():
            pair = ACTIVATIONS.parse(output), LOSSES.parse(loss)
            if (output, loss) in legal:
                check_pair(*pair)
            else:
                with pytest.raises(ConfigError, match=f"loss {loss} does not go with"):
                    check_pair(*pair)


def test_losses_that_are_fused_have_one_partner_each() -> None:
    legal = legal_pairs()
    assert [output for output, loss in legal if loss == "cross_entropy"] == ["softmax"]
    assert [output for output, loss in legal if loss == "binary_cross_entropy"] == ["sigmoid"]
    assert [output for output, loss in legal if loss == "poisson"] == ["exponential"]


def test_the_losses_of_regressions_take_the_promised_outputs() -> None:
    legal = set(legal_pairs())
    for loss in ("squared_error", "mean_squared_error", "absolute_error", "huber"):
        outputs = {output for output, name in legal if name == loss}
        assert outputs - {"softmax"} == {"sigmoid", "identity", "tanh", "relu"}
        assert ("softmax" in outputs) == ("squared" in loss)


def test_only_exponential_is_restricted_to_outputs() -> None:
    assert [name for name, record in ACTIVATIONS.records.items() if not record.hidden] == [
        "exponential"
    ]


def test_a_refused_pair_names_what_would_do() -> None:
    with pytest.raises(ConfigError) as caught:
        check_pair(ACTIVATIONS.parse("tanh"), LOSSES.parse("cross_entropy"))
    assert "cross_entropy takes softmax" in str(caught.value)
    assert "tanh takes squared_error, mean_squared_error" in str(caught.value)


@pytest.mark.parametrize("activation", ACTIVATIONS.names())
def test_default_weights_fit_the_activation(activation: str) -> None:
    # He's for what passes one side and stops the other, Glorot's for what is symmetric; selu's own
    # is a part of its definition.
    one_sided = {"relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "mish"}
    init = ACTIVATIONS.parse(activation).default_weight_init
    expected = {"selu": "lecun"}.get(activation, "he" if activation in one_sided else "glorot")
    assert INITIALIZERS.parse(init).name.startswith(expected)
