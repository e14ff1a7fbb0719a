"""Readers of what people send about attributes: readers, directions, tables, recipes, labels."""

import base64
import io
import json
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from aligned_jax import ancestry, evaluation, jobs, loading
from aligned_jax.convert.files.kept_arrays import kept
from aligned_jax.errors import UserError
from aligned_jax.evaluation.catalogue import MOMENTS, ROWS
from aligned_jax.features.attributes.card import reader_card
from aligned_jax.features.attributes.file import KEY, save_reader
from aligned_jax.jobs.directions.show import ShownDirections
from aligned_jax.jobs.edits.masks import Mask
from aligned_jax.jobs.edits.recipes import EditRecipe, read_recipe
from aligned_jax.jobs.judges import NamedJudge, load_judge
from aligned_jax.jobs.seed_labels.answers import read_labels
from aligned_jax.jobs.seed_labels.session import earlier_answers
from aligned_jax.jobs.walks.schedule import schedule
from aligned_jax.jobs.walks.tables import read_table as read_table_of_curves
from aligned_jax.networks import fingerprint
from aligned_jax.semantics import Direction
from aligned_jax.semantics.edits import Edit
from aligned_jax.utils.checksums import checksum_of, sealed
from tests.fuzz import mutations
from tests.helpers import DATA
from tests.labelled_pictures import reader
from tests.makers.official_file import write_torch

Named = tuple[str, bytes]
NETWORK = loading.load(DATA / "hostile_baseline_ok.pkl")  # 8 px
CONFIG = NETWORK.config


def reseal(text: bytes) -> bytes:
    """A JSON object with a seal that fits, as whoever changes it on purpose can make it."""
    try:
        document = json.loads(text)
        return json.dumps(sealed(document)).encode() if isinstance(document, dict) else text
    except (ValueError, RecursionError):
        return text


def safetensors_header(content: bytes) -> tuple[dict[str, Any], bytes]:
    length = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def with_header(text: bytes, body: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text + body


def npz(arrays: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def odd_arrays(original: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Archives of arrays, one of which is another one, or not there, or there besides."""
    others = [
        np.zeros(()),
        np.zeros((2, 0)),
        np.ones((1, 4)),
        np.full(6, np.nan),
        np.full(6, 1e300),
        np.zeros(6, np.complex64),
        np.array(["x", "y"]),
        np.ones(6, bool),
        np.zeros(6, "M8[s]"),
        np.zeros(3, [("a", "f4")]),
        np.arange(6, dtype=">f4"),
        np.full(6, 2**63, np.uint64),
        None,
    ]

    def changed(pair: tuple[str, Any]) -> bytes:
        name, array = pair
        kept_ones = {key: value for key, value in original.items() if key != name}
        return npz(kept_ones | ({} if array is None else {name: array}))

    names = st.sampled_from([*original, "more", "arr_0", "vector/"])
    return st.tuples(names, st.sampled_from(others)).map(changed)


def attribute_readers(folder: Path) -> st.SearchStrategy[bytes]:
    path = folder / "r.safetensors"
    save_reader(path, reader(parts=("ground", "hair")))
    content = path.read_bytes()
    header, body = safetensors_header(content)
    document = json.loads(header["__metadata__"][KEY])
    document["card"] = {
        "scores": {"glasses": {"accuracy": 0.5, "auc": None}, "hair": {"chance": 1}},
        "pictures": {"train": 3},
        "command": "aligned attributes train",
        "parts": {"scores": {"hair": 0.5}},
    }

    def described(text: bytes) -> bytes:
        metadata = {KEY: reseal(text).decode("utf-8", "replace")}
        return with_header(json.dumps(header | {"__metadata__": metadata}).encode(), body)

    return st.one_of(
        mutations.files(content),
        mutations.texts(header).map(lambda text: with_header(text, body)),
        mutations.texts(document).map(described),
        mutations.documents(document["card"]).map(
            lambda card: described(json.dumps(document | {"card": card}).encode())
        ),
    )


def read_attribute_reader(folder: Path, content: bytes) -> None:
    (folder / "r.safetensors").write_bytes(content)
    card = reader_card(folder / "r.safetensors")
    assert card.text() and json.dumps(card.document())
    judge = load_judge(folder / "r.safetensors")
    assert isinstance(judge, NamedJudge) and judge.names


def directions(folder: Path) -> st.SearchStrategy[Named]:
    vectors = {
        "w": np.eye(CONFIG.num_ws, CONFIG.w_dim, dtype=np.float32),
        "s": np.arange(4, dtype=np.float32),
    }
    found = {
        "w": Direction(
            "w",
            {"w": vectors["w"]},
            0.5,
            "f" * 64,
            -0.1,
            (0, 2),
            {
                "method": "svm",
                "psi": 1.0,
                "origin": ancestry.origin_of("", NETWORK),
                "attribute": "hair",
                "merits": {"auc": 0.5},
            },
        ),
        "s": Direction("s", {"b8.conv0": vectors["s"]}, 1.0, ""),
    }
    contents: list[st.SearchStrategy[bytes]] = []
    for name, direction in found.items():
        jobs.write_direction(folder / f"{name}.npz", direction, overwrite=True)
        with np.load(folder / f"{name}.npz") as file:
            arrays = {key: file[key] for key in file.files}
        document = json.loads(str(arrays.pop("meta_json")))

        def packed(
            text: bytes, arrays: dict[str, Any] = arrays, document: dict[str, Any] = document
        ) -> bytes:
            return npz({**arrays, "meta_json": np.asarray(reseal(text).decode("utf-8", "replace"))})

        contents += [
            mutations.files((folder / f"{name}.npz").read_bytes()),
            mutations.texts(document).map(packed),
            odd_arrays({**arrays, "meta_json": np.asarray(json.dumps(document))}),
            # Who changes vectors on purpose writes their checksum as well.
            st.sampled_from([np.full(4, np.inf), np.ones((9, 9, 9)), np.ones(7), np.zeros(())]).map(
                lambda array, packed=packed, document=document: _revector(array, packed, document)
            ),
        ]
    return st.one_of(*contents).map(lambda content: ("d.npz", content))


def _revector(array: Any, packed: Any, document: dict[str, Any]) -> bytes:
    named = {"vector/w": np.asarray(array, np.float32)}
    text = json.dumps(document | {"arrays": checksum_of(named.items())}).encode()
    return packed(text, named)


def foreign_vectors(folder: Path) -> st.SearchStrategy[Named]:
    vector = np.arange(1, 1 + CONFIG.w_dim, dtype=np.float32)
    contents: list[st.SearchStrategy[Named]] = []
    for name in ("d.npy", "d.pt", "d.npz"):
        path = folder / name
        if name == "d.npy":
            np.save(path, vector)
        elif name == "d.pt":
            write_torch(path, vector)
        else:
            np.savez(path, d=vector)
        changed = mutations.files(path.read_bytes())
        contents.append(changed.map(lambda content, name=name: (name, content)))
    write_torch(folder / "old.pt", vector, legacy=True)
    legacy = mutations.files((folder / "old.pt").read_bytes())
    return st.one_of(
        *contents,
        legacy.map(lambda content: ("d.pt", content)),
        odd_arrays({"d": vector}).map(lambda content: ("d.npz", content)),
    )


def read_direction(folder: Path, content: Named) -> None:
    """Read with its network, shown, and used in an edit; spaces of strangers by turns."""
    path = folder / content[0]
    path.write_bytes(content[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for space in ("z", "w", "s"):
            try:
                direction = jobs.read_direction(path, NETWORK, space=space, name="zoo:x")
                break
            except UserError as error:
                refusal = error
        else:
            raise refusal
        assert ShownDirections({"d": direction}).table()
        Edit(direction, 1.0).check(CONFIG)
        assert np.isfinite(direction.sigma) and direction.sigma > 0


def tables(folder: Path) -> st.SearchStrategy[Named]:
    text = b"seed,hair,glasses\n1,0.5,-2\n2,1e-3,4\n7,-0.5,0\n"
    columns = {"seed": np.arange(6), "hair": np.linspace(-1, 1, 6)}
    cells = st.sampled_from(["", "nan", "1e999", "-1", "1e400", "0.5", '"', "\x00", "é", "7", "x"])
    rows = st.lists(st.lists(cells, min_size=2, max_size=3), max_size=4)
    grids = rows.map(
        lambda rows: "\n".join(["seed,hair", *map(",".join, rows)]).encode("utf-8", "replace")
    )
    numbers = ("0", "1.5", "-1", "4294967296", "1e30", "nan")
    values = st.tuples(st.sampled_from(numbers), st.sampled_from(numbers))
    plain = st.lists(values, min_size=1, max_size=3).map(
        lambda rows: "\n".join(["seed,hair", *map(",".join, rows)]).encode()
    )
    return st.one_of(
        st.one_of(mutations.files(text), grids, plain).map(lambda content: ("t.csv", content)),
        st.one_of(mutations.files(npz(columns)), odd_arrays(columns)).map(
            lambda content: ("t.npz", content)
        ),
    )


def read_table(folder: Path, content: Named) -> None:
    (folder / content[0]).write_bytes(content[1])
    scores = load_judge(folder / content[0])
    assert not isinstance(scores, NamedJudge)
    for values in scores.of(scores.seeds[:1]).values():
        if not np.isfinite(values).all():
            raise AssertionError(f"scores of {values}")


def curve_tables(_: Path) -> st.SearchStrategy[bytes]:
    text = b"time,psi,15_45\n0.0,0.5,-2\n0.5,1e-3,4\n1.5,-0.5,0\n"
    cells = st.sampled_from(["", "nan", "1e999", "-1", "0.5", '"', "\x00", "7", "x", "1e300"])
    names = st.sampled_from(["time,psi", "psi,t1", "psi,psi", "place,swap", "x,"])
    rows = st.lists(st.lists(cells, min_size=1, max_size=3), max_size=4)
    grids = st.tuples(names, rows).map(
        lambda both: "\n".join([both[0], *map(",".join, both[1])]).encode()
    )
    return st.one_of(mutations.files(text), grids)


def read_curve_table(folder: Path, content: bytes) -> None:
    (folder / "c.csv").write_bytes(content)
    table = read_table_of_curves(folder / "c.csv")
    laid = schedule(2, {}, table, frames=None, fps=10.0, loop=True, straight=False, circle=False)
    assert len(laid) == table.frames_at(10.0) > 0
    for values in (laid.places, *laid.tracks.values()):
        assert values.shape == (len(laid),) and np.isfinite(values).all()


def recipes(folder: Path) -> st.SearchStrategy[bytes]:
    direction = Direction("w", {"w": np.ones(6, np.float32) / 6**0.5}, 0.5, "f" * 64, 0.1, (0, 1))
    rows = Direction("w", {"w": np.ones((CONFIG.num_ws, 6), np.float32)}, 0.5, "")
    mask = Mask(np.ones((2, 2), np.float32))
    edits = (Edit(direction, 2.0, name="hair"), Edit(rows, 1.0, layers=(1,), name="hat"))
    EditRecipe(edits, mask).write(folder / "r.json")
    document = json.loads((folder / "r.json").read_text())
    picture = mutations.files(base64.b64decode(document["mask"])).map(
        lambda content: json.dumps(document | {"mask": base64.b64encode(content).decode()}).encode()
    )
    deep = [f'{{"recipe": 1, "edits": {"[" * n}{"]" * n}}}'.encode() for n in (90, 900)]
    vectors = [
        json.dumps(document).replace("[0.40824831", f"{'[' * n}0.5{']' * n}, [0.5", 1).encode()
        for n in (40, 100, 900)
    ]
    return st.one_of(mutations.texts(document), picture, st.sampled_from([*deep, *vectors]))


def read_a_recipe(folder: Path, content: bytes) -> None:
    (folder / "r.json").write_bytes(content)
    recipe = read_recipe(folder / "r.json")
    for edit in recipe.edits:
        edit.check(CONFIG)
        assert edit.summary and edit.key()
    if recipe.mask is not None:
        recipe.mask.resized(8)
    recipe.write(folder / "again.json", overwrite=True)


def labels(_: Path) -> st.SearchStrategy[bytes]:
    document = {
        "labels": 1,
        **FACTS,
        "network": "zoo:x",
        "space": "w",
        "answers": {"yes": [1, 2, 3], "no": [4, 5], "unclear": [9]},
        "model": {"weights": [0.5] * CONFIG.w_dim, "intercept": 0.25},
        "cross_validation": None,
        "suggested": [7],
        "scores": {"seed": [1, 2], "hair": [0.5, -1]},
        "command": "aligned label",
    }
    many = {"yes": list(range(200_000)), "no": [], "unclear": []}
    large = json.dumps(document | {"answers": many}).encode()
    return st.one_of(
        mutations.texts(document),
        mutations.texts({key: document[key] for key in list(document)[:9]}),
        st.just(large),
    )


FACTS = {
    "name": "hair",
    "fingerprint": fingerprint(NETWORK.variables),
    "psi": 1.0,
    "label": None,
}


def read_a_label_file(folder: Path, content: bytes) -> None:
    (folder / "l.json").write_bytes(content)
    stored = read_labels(folder / "l.json")
    answers = earlier_answers(folder / "l.json", FACTS, stored.answers)
    assert answers.along(np.arange(10)).shape == (10,)
    if stored.model is not None:
        stored.model.check_network(CONFIG)
        rows = np.zeros((2, len(stored.model.weights)), np.float32)
        assert np.isfinite(stored.model.scores(rows)).all()


def kept_files(folder: Path) -> st.SearchStrategy[tuple[str, bytes]]:
    features = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    moments = {"count": np.asarray(6), "mean": features.mean(0), "scatter": np.eye(4)}
    statistics = {"mean/w": np.zeros(6, np.float32), "std/w": np.ones(6, np.float32)}
    kinds = {
        MOMENTS: moments,
        ROWS: {"rows": features},
        "statistics": statistics,
    }
    return st.one_of(
        *(
            st.one_of(mutations.files(npz(arrays)), odd_arrays(arrays)).map(
                lambda content, kind=kind: (kind, content)
            )
            for kind, arrays in kinds.items()
        )
    )


def read_kept(folder: Path, content: tuple[str, bytes]) -> None:
    """What cannot be read is None, never an error."""
    kind, data = content
    if kind == "statistics":
        (folder / "s.npz").write_bytes(data)
        found = kept(folder / "s.npz", {"mean/w": (6,), "std/w": (6,)})
        assert found is None or all(np.isfinite(array).all() for array in found.values())
    else:
        cache = evaluation.Cache(folder)
        (folder / cache._file({}, kind).name).write_bytes(data)
        found = cache.load({}, kind)
        if found is not None:
            held = found.rows if kind == ROWS else found.moments
            assert held is not None and np.isfinite(np.asarray(held[-1])).all()
    if found is None:
        raise UserError("it is computed again")
