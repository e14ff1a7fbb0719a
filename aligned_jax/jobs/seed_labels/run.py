"""Labels of seeds, from lists of answers or on a page."""

import os
from collections.abc import Callable, Sequence

import numpy as np

from aligned_jax import viz
from aligned_jax.errors import UserError
from aligned_jax.jobs.seed_labels.answers import (
    SUGGESTED,
    LabelledSeeds,
    SeedAnswers,
    check_labels_file,
    labelled,
    question,
)
from aligned_jax.jobs.seed_labels.page import serve
from aligned_jax.jobs.seed_labels.pool import POOL, draw_pool
from aligned_jax.jobs.seed_labels.session import (
    LabelSession,
    earlier_answers,
    progress_file,
    saver,
)
from aligned_jax.latents import parse_seeds
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.provenance import Command
from aligned_jax.semantics.latent_models import check_space
from aligned_jax.semantics.linear_fits import check_classes, check_scikit_learn
from aligned_jax.utils.reporting import QUIET, Reporter

_LONGEST = 100
Seeds = str | Sequence[int]


def label_seeds(
    network: NetworkSource,
    name: str,
    *,
    yes: Seeds,
    no: Seeds,
    unclear: Seeds = (),
    pool: Seeds = POOL,
    space: str = "w",
    psi: float = 1.0,
    label: int | None = None,
    suggest: int = SUGGESTED,
    seed: int = 0,
    batch: int = 8,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> LabelledSeeds:
    """Fits a linear model to answers about seeds, and scores all seeds of a pool with it.

    Args:
      network: a name, or a loaded network.
      name: of the label.
      yes, no, unclear: seeds, as lists or text such as "3,7,9"; unclear ones teach nothing.
      pool: seeds that are scored, and of which the most telling are suggested.
      space: of the model, "w" or "s".
      psi: truncation; the same seeds look different under another.
      label: class of a conditional network.
      suggest: how many seeds are suggested.
      seed: of folds and choices.
      batch: images at a time; changes a score by rounding at most.
      network_key: "G_ema" or "G" of a network that is loaded.
      report: hears of every image.

    Raises:
      UserError: for seeds with several answers, a single kind of answers or fewer than 2 of one,
        and whatever does not fit the network.
    """
    check_scikit_learn()
    chosen = check_space(space)
    answers = SeedAnswers(*(tuple(seeds_in(given)) for given in (yes, no, unclear)))
    kinds = np.asarray([True] * len(answers.yes) + [False] * len(answers.no), bool)
    if not len(kinds):
        raise UserError(f"{name}: no answers were given; give seeds that are yes, and that are no")
    check_classes(check_name(name), kinds)
    source, loaded = named_network(network, network_key)
    drawn = draw_pool(
        loaded, pool, answers.seeds, chosen, psi=psi, label=label, batch=batch, report=report
    )
    facts = question(loaded, source, name, chosen, psi, label)
    return labelled(drawn, name, answers=answers, facts=facts, suggest=suggest, seed=seed)


def check_name(name: str) -> str:
    """The name of a label; raises UserError unless tables can have it in their head."""
    if not 0 < len(name) <= _LONGEST or not name.isprintable() or name == "seed":
        raise UserError(f"{name!r:.60} is no name of a label; give a word such as glasses")
    return name


def seeds_in(given: Seeds) -> list[int]:
    """Seeds of text, or of a list."""
    return parse_seeds(given) if isinstance(given, str) else [int(seed) for seed in given]


def label_on_page(
    network: NetworkSource,
    name: str,
    out: str | os.PathLike[str],
    ready: Callable[[str], None],
    *,
    yes: Seeds = (),
    no: Seeds = (),
    unclear: Seeds = (),
    pool: Seeds = POOL,
    space: str = "w",
    psi: float = 1.0,
    label: int | None = None,
    suggest: int = SUGGESTED,
    seed: int = 0,
    batch: int = 8,
    port: int = 0,
    network_key: str = "G_ema",
    overwrite: bool = False,
    command: Command = Command(),  # noqa: B008  # it cannot change
    report: Reporter = QUIET,
) -> LabelledSeeds:
    """Asks about seeds on a page that this machine alone can open, until somebody finishes it.

    Answers are written as they are given, and the same call goes on from them.

    Args:
      network, name, pool, space, psi, label, suggest, seed, batch, network_key, report: as of
        `label_seeds`.
      out: NAME.json or NAME.csv where the result will be written. Answers are kept in NAME.json,
        or beside NAME.csv in NAME.csv.answers.json.
      ready: hears the page's address once it can be opened.
      yes, no, unclear: answers to begin with.
      port: of this machine; 0 for any that is free.
      overwrite: forget the answers that are there, instead of going on from them.
      command: that the file of answers names.

    Raises:
      UserError: as `label_seeds`, but for too few answers; if `out` holds answers to another
        question, the port is taken, or the disk refuses.
    """
    check_scikit_learn()
    chosen = check_space(space)
    given = SeedAnswers(*(tuple(seeds_in(one)) for one in (yes, no, unclear)))
    kept = progress_file(out)
    check_labels_file(out, overwrite=overwrite or os.path.lexists(kept))
    viz.check_file(kept, overwrite=True)
    source, loaded = named_network(network, network_key)
    facts = question(loaded, source, check_name(name), chosen, psi, label)
    answers = given if overwrite else earlier_answers(out, facts, given)
    drawn = draw_pool(
        loaded, pool, answers.seeds, chosen, psi=psi, label=label, batch=batch, report=report
    )
    session = LabelSession(name, drawn, answers, facts, seed, saver(out, command))
    serve(session, port, ready)
    return labelled(drawn, name, answers=session.answers, facts=facts, suggest=suggest, seed=seed)
