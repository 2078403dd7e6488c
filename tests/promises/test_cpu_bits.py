"""Tiny runs of every kind have the stored bits, on every CPU and system."""

from __future__ import annotations

import json

import pytest

import cpu_bits

CASES = dict(cpu_bits.cases())
EXPECTED = json.loads(cpu_bits.STORED.read_text())


def test_every_case_is_stored() -> None:
    assert set(EXPECTED) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_bits_are_those_of_every_cpu(name: str) -> None:
    # After a deliberate change: python tests/cpu_bits.py --write. What differs: --stages.
    assert cpu_bits.digest(CASES[name]) == EXPECTED[name]
