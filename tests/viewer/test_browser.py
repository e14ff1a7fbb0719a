"""The page in a real browser: sliders, narrow and dark windows, no errors, no outside requests."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

from aligned_jax.viewer.serving import ViewPage
from aligned_jax.viewer.session import ViewSession
from tests import browsing
from tests.viewer.test_moves import READER

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browsing.BROWSER is None, reason=browsing.WHY_NOT),
]
PATIENCE = 60_000  # milliseconds


@pytest.fixture(scope="module")
def browser():
    with browsing.browser() as running:
        yield running


@pytest.fixture
def opened(browser, page):
    """opened(address, width=..., scheme=...) -> a window; at the end it must be without a fault."""
    faults, windows = [], []
    own = page.url.split("/")[2]

    def open_page(address="", width=1200, scheme="light"):
        window = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        window.set_default_timeout(PATIENCE)
        window.on("console", lambda said: faults.append(f"{said.type}: {said.text}"))
        window.on("pageerror", lambda error: faults.append(str(error)))

        def asked(request):
            if not request.url.startswith((f"http://{own}/", "data:", "blob:")):
                faults.append(f"outside: {request.url}")

        window.on("request", asked)
        window.goto(page.url + address)
        settled(window)
        windows.append(window)
        return window

    yield open_page
    for window in windows:
        window.close()
    assert not faults


def settled(window):
    window.wait_for_timeout(50)
    window.wait_for_selector("body[data-drawing=no]")


def sources(window):
    return window.locator(".cell img").evaluate_all("all => all.map((one) => one.src)")


def slide(window, label, value):
    slider = window.get_by_label(label, exact=True)
    slider.evaluate(
        "(one, value) => { one.value = value; one.dispatchEvent(new Event('input'));"
        " one.dispatchEvent(new Event('change')); }",
        str(value),
    )
    settled(window)


def put_on_the_stack(window, name):
    """The server is asked first whether there is such an edit."""
    window.get_by_label("add a channel or direction").fill(name)
    window.get_by_role("button", name="add", exact=True).click()
    sync_api.expect(window.locator(".edit")).to_have_count(1, timeout=PATIENCE)
    settled(window)


def test_sliders_change_pixels_and_the_address(opened):
    window = opened()
    seen = [sources(window)]
    assert len(seen[0]) == 6 and all(one.startswith("data:image/png") for one in seen[0])
    slide(window, "psi", 0.4)
    seen.append(sources(window))
    assert "psi=0.4" in window.url
    put_on_the_stack(window, "2_2")
    seen.append(sources(window))
    slide(window, "sigmas", -9)
    seen.append(sources(window))
    window.get_by_text("a blend, as one more column").click()
    settled(window)
    blended = sources(window)
    assert len(blended) == 9
    slide(window, "t2 weights", 0.9)
    assert sources(window)[2::3] != blended[2::3] and sources(window)[::3] == blended[::3]
    assert len({tuple(one) for one in seen}) == len(seen)
    sync_api.expect(window.locator("#commands")).to_contain_text("0.9", timeout=PATIENCE)
    assert "aligned edit" in window.locator("#commands").text_content()
    again = opened("#" + window.url.partition("#")[2])
    assert sources(again) == sources(window)


def test_undo_and_redo(opened):
    window = opened()
    first = sources(window)
    assert window.locator("#undo").is_disabled()
    slide(window, "psi", 0.2)
    second = sources(window)
    window.locator("#undo").click()
    settled(window)
    assert sources(window) == first and "psi" not in window.url.partition("#")[2]
    window.keyboard.press("Control+Shift+z")
    settled(window)
    assert sources(window) == second != first


def test_the_pad_walks(opened):
    window = opened()
    window.get_by_text("pad between four seeds").click()
    settled(window)
    before = sources(window)
    assert len(before) == 8
    area = window.locator(".pad").bounding_box()
    window.mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
    window.mouse.down()
    window.mouse.move(area["x"] + 5, area["y"] + 5, steps=4)
    window.mouse.up()
    settled(window)
    after = sources(window)
    assert after[:6] == before[:6] and after[6:] != before[6:]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_into_a_narrow_window(opened, scheme):
    """In both, with everything unfolded."""
    blend = '{"child":1,"t2":0.5,"swap":4,"t1":0.5}'
    pad = '{"seeds":[1,2,3,4],"x":0.5,"y":0.5}'
    edits = '[{"name":"2_2","by":3}]'
    window = opened(f"#blend={blend}&pad={pad}&edits={edits}", width=400, scheme=scheme)
    window.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert window.evaluate("document.documentElement.scrollWidth") <= 400
    ground = window.evaluate("getComputedStyle(document.body).backgroundColor")
    ink = window.evaluate("getComputedStyle(document.body).color")
    light, dark = (sum(map(int, re.findall(r"\d+", one)[:3])) for one in (ground, ink))
    assert (light > dark) == (scheme == "light") and abs(light - dark) > 400


def test_a_region_names_channels_that_can_be_edited(opened):
    window = opened()
    window.locator(".cell").first.click()
    window.wait_for_selector("#inspector table button")
    window.wait_for_selector("#inspector img")
    before = sources(window)
    window.locator("#inspector table button").first.click()
    settled(window)
    assert window.locator(".edit").count() == 1 and sources(window) != before


def test_an_edit_that_is_not_known_does_not_come_on_the_stack(opened):
    window = opened()
    before = sources(window)
    field = window.get_by_label("add a channel or direction")
    field.fill("yaww")
    field.press("Enter")
    message = window.locator("#message")
    sync_api.expect(message).to_contain_text("there is no edit “yaww”", timeout=PATIENCE)
    assert window.locator(".edit").count() == 0 and field.input_value() == "yaww"
    field.fill("tilt")
    field.press("Enter")
    sync_api.expect(window.locator(".edit")).to_have_count(1, timeout=PATIENCE)
    settled(window)
    assert message.is_hidden() and sources(window) != before and field.input_value() == ""


def test_what_an_edit_moves_is_told(browser, session):
    """With a reader, below the edit; another strength takes it away."""
    reading = ViewSession(session.engine.family, session.engine.shelf, (READER,), samples=300)
    with ViewPage(reading) as page:
        window = browser.new_page()
        window.set_default_timeout(PATIENCE)
        window.goto(f'{page.url}#edits=[{{"name":"2_2","by":4}}]')
        settled(window)
        window.get_by_text("what it moves", exact=True).click()
        window.get_by_label("target").select_option("mean")
        window.get_by_role("button", name="measure").click()
        told = window.locator(".moves")
        sync_api.expect(told).to_contain_text("child", timeout=PATIENCE)
        assert re.search(r"child [^ ]\d+\.\d\d, leaks \d", told.text_content())
        assert "odds" in told.text_content() and "red" in told.text_content()
        slide(window, "sigmas", 1)
        assert told.text_content() == ""
        window.close()


def test_columns_keep_their_names_in_a_narrow_window(opened):
    """However far the pictures are scrolled."""
    window = opened("#seeds=0,1,2,3,4,5,6,7,8", width=400)
    grid = window.locator("#grid")
    assert grid.evaluate("(one) => one.scrollHeight > one.clientHeight")
    grid.evaluate("(one) => { one.scrollTop = one.scrollHeight; }")
    frame, head = grid.bounding_box(), window.locator("#grid .head").first.bounding_box()
    assert abs(head["y"] - frame["y"]) < 2 and frame["height"] <= 0.61 * 800
    last = window.locator(".cell").last.bounding_box()
    assert last["y"] + last["height"] <= frame["y"] + frame["height"]
    few = opened("", width=400).locator("#grid")
    assert few.evaluate("(one) => one.scrollHeight <= one.clientHeight + 1")


def test_a_film_between_pins(opened):
    window = opened()
    for place in (0, 1):
        window.get_by_role("button", name="pin", exact=True).nth(place).click()
    window.get_by_text("Pins and films").click()
    assert window.locator(".pins figure").count() == 2 and "pins=" in window.url
    slide(window, "frames", 3)
    window.get_by_role("button", name="make a film").click()
    window.wait_for_selector("img.film:not([hidden])")
    film = window.locator("img.film")
    film.evaluate("(one) => one.decode()")
    assert film.evaluate("(one) => one.naturalWidth") == 32  # four times 8 pixels


def test_a_film_of_a_slider(opened):
    window = opened()
    put_on_the_stack(window, "2_2")
    window.get_by_text("Film of a slider").click()
    window.get_by_label("slider", exact=True).select_option("edits.0.by")
    assert window.get_by_label("begins at").input_value() == "-5"
    slide(window, "pictures one way", 3)
    window.get_by_role("button", name="film it").click()
    window.wait_for_selector("img.slid:not([hidden])")
    film = window.locator("img.slid")
    film.evaluate("(one) => one.decode()")
    assert film.evaluate("(one) => one.naturalWidth") > 200
    assert window.get_by_role("button", name="save slider.webp").is_visible()


def test_an_own_picture_becomes_a_row(opened, tmp_path):
    pixels = np.random.RandomState(0).randint(0, 256, (30, 40, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "me.png")
    window = opened()
    window.get_by_text("Own picture").click()
    window.locator("input[type=file]").set_input_files(tmp_path / "me.png")
    window.wait_for_selector("canvas.crop:not([hidden])")
    window.get_by_label("compare").select_option("pixels")
    window.get_by_label("steps", exact=True).evaluate("(one) => { one.value = 10; }")
    window.get_by_role("button", name="invert").click()
    sync_api.expect(window.locator(".cell")).to_have_count(8, timeout=PATIENCE)
    settled(window)
    assert len(set(sources(window))) == 8 and "pictures=" in window.url


def choose_photograph(window, tmp_path):
    """A photograph of 60 by 40 pixels, in whose dialog the square is placed."""
    pixels = np.random.RandomState(0).randint(0, 256, (40, 60, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "me.png")
    window.get_by_text("Own picture").click()
    window.locator("input[type=file]").set_input_files(tmp_path / "me.png")
    window.wait_for_selector("img.cut:not([hidden])")
    window.get_by_role("button", name="place the square").click()
    window.wait_for_selector("dialog[open] canvas")


def seen_square(window):
    """Width and turn, as the dialog's sliders tell them."""
    fields = (window.get_by_label(name, exact=True) for name in ("width", "turn"))
    return [float(field.input_value()) for field in fields]


def on_photograph(window, x, y):
    """The place on the screen of a point of the photograph."""
    frame = window.locator("canvas.placing").bounding_box()
    scale = (frame["width"] - 2 * 40) / 60
    return frame["x"] + 40 + x * scale, frame["y"] + 40 + y * scale


def test_a_square_is_placed_by_mouse_and_keys(opened, tmp_path):
    window = opened()
    choose_photograph(window, tmp_path)
    pictures = window.locator("canvas.placing")
    shown = [pictures.evaluate("(one) => one.toDataURL()")]

    def changed():
        shown.append(pictures.evaluate("(one) => one.toDataURL()"))
        return shown[-1] != shown[-2]

    assert seen_square(window) == [40, 0]
    window.get_by_label("mean picture", exact=True).evaluate(
        "(one) => { one.value = 0; one.dispatchEvent(new Event('input')); }"
    )
    assert changed()
    window.mouse.move(*on_photograph(window, 50, 40))  # the lower right corner
    window.mouse.down()
    window.mouse.move(*on_photograph(window, 40, 30), steps=3)
    window.mouse.up()
    assert changed() and abs(seen_square(window)[0] - 20) < 1
    window.mouse.click(*on_photograph(window, 12, 15))
    pictures.press("Shift+ArrowRight")
    assert changed()
    pictures.press("+")
    pictures.press("]")
    assert changed() and seen_square(window)[0] > 20.3 and seen_square(window)[1] == 2
    pictures.press("Enter")
    sync_api.expect(window.locator("dialog[open]")).to_have_count(0)
    [asked] = invert_now(window)
    corners = np.asarray(json.loads(asked["face"][0]))
    assert asked["name"] == ["me.png"]
    np.testing.assert_allclose(corners.mean(axis=0), [13, 15], atol=0.4)
    angle = np.degrees(np.arctan2(*(corners[1] - corners[0])[::-1]))
    assert angle == pytest.approx(2, abs=0.1)


def invert_now(window):
    """The options of the upload, once its picture is a row."""
    asked = []
    window.on("request", lambda one: asked.append(one.url) if "/upload?" in one.url else None)
    window.get_by_label("compare").select_option("pixels")
    window.get_by_label("steps", exact=True).evaluate("(one) => { one.value = 10; }")
    window.get_by_role("button", name="invert").click()
    sync_api.expect(window.locator(".cell")).to_have_count(8, timeout=PATIENCE)
    settled(window)
    return [parse_qs(urlsplit(one).query) for one in asked]


def test_a_square_is_placed_by_fingers_and_not_taken(opened, tmp_path):
    """Two fingers, in a narrow window; the middle square stays when the dialog is left."""
    window = opened(width=400)
    choose_photograph(window, tmp_path)
    assert window.evaluate("document.documentElement.scrollWidth") <= 400
    dialog = window.locator("dialog[open]").bounding_box()
    assert dialog["x"] >= 0 and dialog["x"] + dialog["width"] <= 400
    window.locator("canvas.placing").evaluate(
        """(one) => {
          one.setPointerCapture = () => {};
          const frame = one.getBoundingClientRect();
          const touch = (kind, id, x, y) => one.dispatchEvent(new PointerEvent(kind, {
            pointerId: id, pointerType: 'touch', bubbles: true,
            clientX: frame.x + x * frame.width, clientY: frame.y + y * frame.height }));
          touch('pointerdown', 1, 0.4, 0.5);
          touch('pointerdown', 2, 0.6, 0.5);
          touch('pointermove', 2, 0.5, 0.5);
          touch('pointerup', 2, 0.5, 0.5);
          touch('pointerup', 1, 0.4, 0.5);
        }"""
    )
    width, turn = seen_square(window)
    assert width == pytest.approx(20, abs=1) and turn == pytest.approx(0, abs=0.1)
    window.keyboard.press("Escape")
    sync_api.expect(window.locator("dialog[open]")).to_have_count(0)
    assert window.get_by_role("button", name="middle square").first.is_disabled()


def test_a_face_goes_back_into_its_photograph(opened, tmp_path):
    window = opened()
    choose_photograph(window, tmp_path)
    window.get_by_role("button", name="take this square").click()
    invert_now(window)
    assert window.locator("#photo").is_hidden()
    window.get_by_text("faces back into the photograph").click()
    window.wait_for_selector("img.photo:not([hidden])")
    photo = window.locator("img.photo")

    def waited(before):
        sync_api.expect(photo).not_to_have_attribute("src", before, timeout=PATIENCE)
        photo.evaluate("(one) => one.decode()")
        return photo.get_attribute("src")

    assert photo.evaluate("(one) => [one.naturalWidth, one.naturalHeight]") == [60, 40]
    source = photo.get_attribute("src")
    slide(window, "feather", 0.4)
    source = waited(source)
    window.get_by_label("drawn by").select_option("1")
    waited(source)
    assert "paste=" in window.url
    sync_api.expect(window.locator("#commands")).to_contain_text(
        "--paste-back pasted --feather 0.4", timeout=PATIENCE
    )
    saved = {}
    for name in ("save the photograph", "save faces.json"):
        with window.expect_download() as download:
            window.get_by_role("button", name=name).click()
        saved[download.value.suggested_filename] = download.value.path()
    assert next(iter(saved)).endswith("-child.png") and list(saved)[1] == "faces.json"
    with Image.open(next(iter(saved.values()))) as image:
        assert image.size == (60, 40)
    faces = json.loads(Path(saved["faces.json"]).read_text())
    assert list(faces.values()) == [[[[10, 0], [50, 0], [50, 40], [10, 40]]]]


def test_what_cannot_be_is_said(opened):
    window = opened()
    window.get_by_label("seeds", exact=True).fill("1,x")
    window.get_by_label("seeds", exact=True).press("Enter")
    assert "seeds are up to 9 numbers" in window.locator("#message").text_content()
