"""The page of results in Chromium, from a file and without a network: narrow and wide, light and dark."""

import json

import pytest

from segser_core.bundled import BUNDLED
from tests.support.serving import CHROMIUM, open_browser_page
from training.tables import __main__

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; name one in SEGSER_CHROMIUM"),
]


def test_the_page_of_results_is_whole_by_itself_at_any_width_in_light_and_dark(tmp_path):
    (tmp_path / "sweep").mkdir()
    values = [{"value": v, "uar": 0.6, "low": 0.5, "high": 0.7, "seeds": [0]} for v in (40.0, 80.0)]
    sweep = {"format": 1, "sweep": "segment-size", "system": "seg", "corpus": "ravdess", "protocol": "ravdess-paper"}
    counts = {"fold": 0, "share": 0.25, "training_clips": 509, "development_clips": 208, "settings": {}}
    content = {**sweep, **counts, "encoder": {"name": "whisper-base-encoder"}, "values": values}
    (tmp_path / "sweep" / "sweep.json").write_text(json.dumps(content))
    assert __main__.main([str(BUNDLED), str(tmp_path / "sweep"), "--out", str(tmp_path / "out")]) == 0

    with open_browser_page() as page:
        faults, asked = [], []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.context.set_offline(True)
        page.goto((tmp_path / "out" / "index.html").as_uri())
        page.locator(".js-plotly-plot .main-svg").first.wait_for()
        inks = set()
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.wait_for_timeout(500)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                inks.add(page.locator(".xtick text").first.evaluate("e => getComputedStyle(e).fill"))
                widest = page.locator(".js-plotly-plot").evaluate_all("all => Math.max(...all.map(e => e.offsetWidth))")
                assert 300 < widest <= width
        assert len(inks) == 2
        assert faults == []
        assert len(asked) == 1
        assert page.locator(".js-plotly-plot").count() == 2
        assert page.locator(".absent").count() > 10
