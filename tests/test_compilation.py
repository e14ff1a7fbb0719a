"""Tests compile fast, and where numbers are held against others as users do."""

import os

import jax
import pytest


def test_programs_compile_fast():
    assert jax.config.values["jax_disable_most_optimizations"]
    assert os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] == "1"  # child processes as well


@pytest.mark.optimised
def test_programs_are_optimised_where_a_test_asks_for_it():
    assert not jax.config.values["jax_disable_most_optimizations"]


@pytest.mark.optimised("in long runs")
def test_programs_of_whole_networks_are_optimised_in_long_runs(request):
    quickly = request.config.option.markexpr == "not slow"
    assert jax.config.values["jax_disable_most_optimizations"] == quickly
