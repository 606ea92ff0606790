"""A teacher's way on the bundled runs, in Chromium: from the tour to a clip and its sound; links to every page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from pages.shared.text import tour
from tests.support.browser import BOTH_RUNS, IN_CHROMIUM, address_values, played_sound, see_address, see_page, settle
from tests.support.paths import SHARED
from tests.support.serving import serve_app

pytestmark = IN_CHROMIUM
CLIP = "03-01-06-01-01-01-23"
LINKS = {  # an address, the title of its page, what the page must hold, and what the address must still say
    "?model=baseline&aggregate=mean": ("Which emotion, when?", "mean of all segments", ("model", "baseline")),
    f"compare?{BOTH_RUNS}": ("What do segments and triplets change?", "Who is right where", ("run", "seg+tri-w")),
    f"recall?{BOTH_RUNS}&split=speaker&interval=x": ("How good, and how sure?", "Which clips?", ("split", "speaker")),
    f"embeddings?{BOTH_RUNS}&clip=CLIP&colour=speaker": ("Are the classes apart?", "In figures", ("clip", "CLIP")),
    f"mistakes?{BOTH_RUNS}&label=fearful&clip=CLIP": ("Where does it fail?", "CLIP", ("label", "fearful")),
    "tour": ("segser in five steps", "5. See what it must not be used for", None),
    "about": ("How it works, and what it is not for", "The law of the European Union", None),
}
STEPS = (
    "Which emotion, when?",
    "Which emotion, when?",
    "How good, and how sure?",
    "Where does it fail?",
    "How it works",
)
HAS_CORPORA = (SHARED / "data").is_dir()


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    around = {"SEGSER_RUNS": "", "SEGSER_NOTES": str(tmp_path_factory.mktemp("notes"))}
    with serve_app(env=around | {"SEGSER_CORPORA": str(SHARED / "data")}) as address:
        yield address


def test_links_to_every_page_open_it_in_its_state_when_they_are_the_first_that_a_server_meets(address, page):
    tabs = [page.context.browser.new_page() for _ in LINKS]
    for tab, link in zip(tabs, LINKS, strict=True):  # all at once, before any page was seen by the server
        tab.goto(f"{address}/{link.replace('CLIP', CLIP)}", wait_until="commit")
    for tab, (title, holds, says) in zip(tabs, LINKS.values(), strict=True):
        see_page(tab, title)
        expect(tab.get_by_text(holds.replace("CLIP", CLIP)).first).to_be_visible()
        assert tab.get_by_test_id("stException").count() == 0
        if says is not None:
            assert address_values(tab, says[0]) == [says[1].replace("CLIP", CLIP)]


def test_each_step_of_the_tour_leads_where_it_says(address, page):
    page.goto(f"{address}/tour")
    for place, title in enumerate(STEPS):
        address_of = tour.STEPS[place].address
        see_page(page, "segser in five steps")
        page.get_by_test_id("stPageLink").get_by_role("link").nth(place).click()
        see_page(page, title)
        assert page.get_by_test_id("stException").count() == 0
        assert {name: address_values(page, name) for name in address_of} == {k: [v] for k, v in address_of.items()}
        page.get_by_role("link", name="Tour", exact=True).click()


@pytest.mark.skipif(not HAS_CORPORA, reason=f"no recordings at {SHARED}; name their folder in SEGSER_SHARED")
def test_from_the_tour_to_the_recall_to_a_clip_under_both_models_to_its_sound(address, page):
    page.goto(f"{address}/tour")
    see_page(page, "segser in five steps")
    page.get_by_role("link", name="Open the recall of both models").click()
    see_page(page, "How good, and how sure?")
    page.get_by_test_id("stButtonGroup").get_by_text("ravdess").click()
    see_address(page, "corpus=ravdess")
    sad = page.locator(".st-key-chart-recall .js-plotly-plot .trace.bars").first.locator(".point path").nth(2)
    settle(page)  # what is drawn late above the chart moves it: a click where the bar was hits its neighbour
    sad.click(force=True)

    see_page(page, "Where does it fail?")
    see_address(page, "label=sad")
    assert address_values(page, "corpus") == ["ravdess"]
    assert address_values(page, "run") == ["seg+tri-w"]
    assert address_values(page, "correct") == ["false"]
    expect(page.get_by_text("of 1622 clips")).to_be_visible()
    page.get_by_role("button", name="Open the first clip").click()
    segments = page.locator(".js-plotly-plot .bars .point path")
    expect(segments.first).to_be_visible()
    assert {"seg+tri-w", "baseline"} <= set(page.locator(".js-plotly-plot .annotation-text").all_text_contents())
    (clip,) = address_values(page, "clip")
    assert clip.split("-")[2] == "04"  # sad, as RAVDESS writes it
    whole = page.request.get(page.locator("audio").first.evaluate("player => player.src")).body()
    part = played_sound(page, lambda: segments.nth(1).click(force=True))
    assert whole[:4] == part[:4] == b"RIFF"
    assert 16_000 < len(part) < len(whole)
