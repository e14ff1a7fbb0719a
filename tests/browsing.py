"""Opens pages in a real browser and tells what is wrong with how they look."""

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((path for name in _NAMES if (path := shutil.which(name))), None)
WHY_NOT = f"none of {', '.join(_NAMES)} is installed"
# Widths of windows, and what people prefer.
WINDOWS = ((1200, "light"), (1200, "dark"), (400, "light"), (400, "dark"))

# What a reader would stumble over. Words are read as they are painted: colours are those of the
# element and of the nearest ancestor with a ground.
_AUDIT = """
() => {
  const faults = [];
  const say = (what, one) => faults.push(`${what}: <${one.tagName.toLowerCase()}> `
    + `"${(one.alt || one.textContent || '').trim().slice(0, 60)}"`);
  const shown = (one) => one.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})
    && one.getClientRects().length > 0;
  if (document.documentElement.scrollWidth > window.innerWidth)
    faults.push(`the page is ${document.documentElement.scrollWidth} wide in `
      + `a window of ${window.innerWidth}`);
  if (!document.title) faults.push('no title');
  if (document.querySelectorAll('h1').length !== 1) faults.push('not one main heading');
  for (const one of document.images) {
    if (!one.complete || one.naturalWidth === 0) say('not loaded', one);
    if (!one.alt) faults.push('a picture without words');
    const side = Math.min(one.clientWidth, one.clientHeight);
    if (shown(one) && side < Math.min(40, one.naturalWidth, one.naturalHeight))
      say(`a picture of ${one.clientWidth} by ${one.clientHeight}`, one);
  }
  const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = (rgb) => rgb.slice(0, 3).map(channel)
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const colour = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (one) => {
    for (; one; one = one.parentElement) {
      const painted = colour(getComputedStyle(one).backgroundColor);
      if (painted.length === 3 || painted[3] > 0) return painted;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  for (let node; (node = walker.nextNode());) {
    const text = node.textContent.trim(), one = node.parentElement;
    if (!text || ['SCRIPT', 'STYLE'].includes(one.tagName) || !shown(one)) continue;
    if (/\\b(undefined|NaN|None|\\[object)\\b/.test(text) && !one.closest('pre, code, table'))
      say('not a word', one);
    if (seen.has(one) || one.closest('svg')) continue;
    seen.add(one);
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size;
    if (text.length >= 4 && lines > text.length / 2.5) say(`${lines} lines`, one);
    const style = getComputedStyle(one);
    if (parseFloat(style.fontSize) < 10) say(`letters of ${style.fontSize}`, one);
    const [a, b] = [light(colour(style.color)), light(ground(one))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5 && !one.closest(':disabled')) say(`contrast ${contrast.toFixed(2)}`, one);
  }
  return faults;
}
"""


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """A browser without windows."""
    from playwright import sync_api

    with sync_api.sync_playwright() as play:
        running = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield running
        running.close()


def faults_of(running: Any, address: str, picture: str | None = None) -> list[str]:
    """What is wrong with a page in any of the windows; [] for a good one.

    Args:
      running: of `browser`.
      address: file:// or http://.
      picture: where the page in the first window is kept as a PNG, to be looked at.
    """
    own = address.rpartition("/")[0]
    faults: list[str] = []
    for width, scheme in WINDOWS:
        found: list[str] = []
        window = running.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        window.on("console", lambda said, found=found: found.append(f"{said.type}: {said.text}"))
        window.on("pageerror", lambda error, found=found: found.append(str(error)))
        window.on("request", lambda asked, found=found: _judge(asked.url, own, found))
        window.goto(address)
        window.wait_for_load_state("networkidle")
        found += window.evaluate(_AUDIT)
        if picture and not faults and (width, scheme) == WINDOWS[0]:
            window.screenshot(path=picture, full_page=True)
        faults += [f"{width} px, {scheme}: {fault}" for fault in found]
        window.close()
    return faults


def _judge(url: str, own: str, found: list[str]) -> None:
    if not url.startswith((f"{own}/", "data:", "blob:")):
        found.append(f"asks outside: {url}")
