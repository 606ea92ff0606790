"""The page of results in Chromium, from a file and without a network: narrow and wide, light and dark."""

import json

from playwright.sync_api import expect

from segser_core.bundled import BUNDLED
from tests.support.browser import IN_CHROMIUM
from training.tables import __main__

pytestmark = IN_CHROMIUM
WIDEST = "all => Math.max(...all.map(chart => chart.offsetWidth))"
# Charts fit the width, and their text has another colour than before.
DRAWN = """([ink, width]) => getComputedStyle(document.querySelector('.xtick text')).fill !== ink
  && [...document.querySelectorAll('.js-plotly-plot')].every(chart => chart.offsetWidth <= width)"""


def test_the_page_of_results_is_whole_by_itself_at_any_width_in_light_and_dark(page, tmp_path):
    (tmp_path / "sweep").mkdir()
    values = [{"value": v, "uar": 0.6, "low": 0.5, "high": 0.7, "seeds": [0]} for v in (40.0, 80.0)]
    sweep = {"format": 1, "sweep": "segment-size", "system": "seg", "corpus": "ravdess", "protocol": "ravdess-paper"}
    counts = {"fold": 0, "share": 0.25, "training_clips": 509, "development_clips": 208, "settings": {}}
    content = {**sweep, **counts, "encoder": {"name": "whisper-base-encoder"}, "values": values}
    (tmp_path / "sweep" / "sweep.json").write_text(json.dumps(content))
    assert __main__.main([str(BUNDLED), str(tmp_path / "sweep"), "--out", str(tmp_path / "out")]) == 0

    faults, asked = [], []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.context.set_offline(True)
    page.goto((tmp_path / "out" / "index.html").as_uri())
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    inks = [""]
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(DRAWN, arg=[inks[-1], width])
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert 300 < page.locator(".js-plotly-plot").evaluate_all(WIDEST) <= width
            inks.append(page.locator(".xtick text").first.evaluate("e => getComputedStyle(e).fill"))
    assert len(set(inks[1:])) == 2
    assert faults == []
    assert len(asked) == 1
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    assert page.locator(".absent").count() > 10
