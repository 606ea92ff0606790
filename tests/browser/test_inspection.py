"""From a number to the clip behind it, in Chromium: a researcher's way on made-up runs."""

import io
import json
import re
import zipfile
from math import dist
from pathlib import Path

import pandas as pd
from playwright.sync_api import Page, expect

from tests.support.browser import (
    BOTH_RUNS,
    DONE,
    IN_CHROMIUM,
    address_values,
    download_file,
    played_sound,
    run_environment,
    see_address,
    see_page,
    settle,
)
from tests.support.serving import serve_app

pytestmark = IN_CHROMIUM
PLACES = """chart => {
  const {xaxis, yaxis} = chart._fullLayout, frame = chart.getBoundingClientRect(), places = {};
  for (const trace of chart._fullData.filter(trace => trace.customdata))
    for (let i = 0; i < trace.x.length; i++)
      places[trace.customdata[i][0]] = [
        frame.left + xaxis._offset + xaxis.l2p(trace.x[i]), frame.top + yaxis._offset + yaxis.l2p(trace.y[i])];
  return places;
}"""


OTHER_HEADING = """([before]) => {
  const now = document.querySelector('h3')?.innerText;
  return now && now !== before;
}"""


def choose(page: Page, label: str, option: str) -> None:
    """Choose in a select box."""
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()


def open_maps(page: Page, address: str) -> dict[str, tuple[float, float]]:
    """The page of maps, and where each clip lies on the first one, in pixels."""
    page.goto(f"{address}/embeddings?{BOTH_RUNS}")
    see_page(page, "Are the classes apart?")
    expect(page.locator(".js-plotly-plot").nth(1)).to_be_visible()
    settle(page)  # what is chosen while the page is still being made is lost
    return page.locator(".js-plotly-plot").first.evaluate(PLACES)


def cells(page: Page) -> list[str]:
    """What the cells of the first table hold."""
    found = page.get_by_test_id("stDataFrame").first.locator("[role=gridcell]")
    expect(found.first).to_be_attached()
    return found.all_text_contents()


def test_from_the_recall_of_sad_to_the_sound_of_a_long_sad_clip_and_back_by_a_link(page, many):
    with serve_app(env=run_environment(many)) as address:
        page.goto(f"{address}/recall?{BOTH_RUNS}")
        see_page(page, "How good, and how sure?")
        bars = page.locator(".st-key-chart-recall .js-plotly-plot .trace.bars").first.locator(".point path")
        settle(page)  # what is drawn late above the chart moves it: a click where the bar was hits its neighbour
        bars.last.click(force=True)  # the classes are in order: sad is the last

        see_page(page, "Where does it fail?")
        see_address(page, "label=sad")
        choose(page, "Order", "longest first")
        see_address(page, "sort=longest")
        see_page(page, "Where does it fail?")
        page.get_by_role("button", name="Open the first clip").click()
        see_address(page, "clip=Ses")
        segments = page.locator(".js-plotly-plot .bars .point path")
        expect(segments.first).to_be_visible()
        titles = page.locator(".js-plotly-plot .annotation-text").all_text_contents()
        assert {"seg+tri-w", "baseline"} <= set(titles)
        whole = page.request.get(page.locator("audio").first.evaluate("player => player.src")).body()
        part = played_sound(page, lambda: segments.nth(3).click(force=True))
        assert whole[:4] == part[:4] == b"RIFF"
        assert len(part) < len(whole)
        clip, link = page.get_by_role("heading", level=3).first.inner_text(), page.url
    with serve_app(env=run_environment(many)) as fresh:
        page.goto(link.replace(address, fresh))
        see_page(page, "Where does it fail?")
        expect(page.get_by_role("heading", level=3, name=clip)).to_be_visible()
        assert address_values(page, "label") == ["sad"]
        assert address_values(page, "sort") == ["longest"]


def test_a_click_on_a_point_of_the_map_plays_it_and_shows_its_row(page, address, few):
    places = open_maps(page, address)
    assert page.locator(".js-plotly-plot").count() == 2
    heard = [file.stem for file in (few / "corpora").rglob("*.wav") if file.stem in places]
    gaps = {name: min(dist(places[name], place) for other, place in places.items() if other != name) for name in heard}
    alone = max(gaps, key=gaps.__getitem__)  # no other point covers it
    page.mouse.move(*places[alone])
    expect(page.locator(".hoverlayer .hovertext")).to_be_visible()
    page.mouse.click(*places[alone])
    see_address(page, "clip=Ses")
    assert address_values(page, "clip") == [alone]
    player = page.locator("audio[autoplay]")
    expect(player).to_be_visible()
    assert player.get_attribute("aria-label").startswith(f"{alone}, 0.00 to ")
    assert page.request.get(player.evaluate("player => player.src")).body()[:4] == b"RIFF"
    clips = pd.read_parquet(few / "runs" / "seg+tri-w" / "predictions.parquet").set_index("utterance_id")
    assert cells(page)[:3] == ["seg+tri-w", clips.label[alone], clips.predicted[alone]]


def test_what_a_box_on_the_map_holds_opens_in_mistakes(page, address):
    places = open_maps(page, address)
    chart = page.locator(".js-plotly-plot").first
    chart.hover()
    chart.locator("[data-title='Box Select']").click()
    x, y = max(places.values(), key=lambda place: place[0])
    page.mouse.move(x - 25, y - 25)
    page.mouse.down()
    page.mouse.move(x + 10, y + 25, steps=4)
    page.mouse.up()
    inside = {c for c, (a, b) in places.items() if x - 25 <= a <= x + 10 and abs(b - y) <= 25}
    page.get_by_role("button", name=f"Open these {len(inside)} clips in Mistakes").click()
    see_page(page, "Where does it fail?")
    expect(page.get_by_text(f"{len(inside)} of 400 clips")).to_be_visible()
    see_address(page, "ids=Ses")
    assert set(address_values(page, "ids")[0].split()) == inside


def test_clips_are_walked_by_keyboard_noted_and_taken_along(page, address, few):
    page.goto(f"{address}/mistakes?{BOTH_RUNS}&label=sad&correct=false&sort=longest&longest_s=9")
    see_page(page, "Where does it fail?")
    expect(page.get_by_role("button", name="Open the first clip")).to_be_visible()
    walked: list[str] = []
    for key in "jjk":
        page.keyboard.press(key)
        page.wait_for_function(OTHER_HEADING, arg=walked[-1:])
        expect(page.locator(DONE)).to_be_attached()
        walked.append(page.get_by_role("heading", level=3).first.inner_text())
        assert address_values(page, "clip") == walked[-1:]
    assert walked[0] == walked[2] != walked[1]

    page.get_by_label("Note").fill("breathes; <b>sobs</b>")
    page.get_by_label("Note").press("Control+Enter")
    expect(page.get_by_text("Saved 20")).to_be_visible()
    page.get_by_role("combobox", name="Tags").fill("pause")
    page.get_by_role("combobox", name="Tags").press("Enter")
    expect(page.get_by_test_id("stMultiSelect").get_by_text("pause")).to_be_visible()
    expect(page.locator(DONE)).to_be_attached()
    noted = json.loads((few / "runs" / "seg+tri-w.notes.json").read_text())
    assert re.search(r"breathes; <b>sobs</b>.*pause", str(noted))

    with serve_app(env=run_environment(few)) as fresh:
        page.goto(page.url.replace(address, fresh))
        expect(page.get_by_role("heading", level=3, name=walked[0])).to_be_visible()
        expect(page.get_by_label("Note")).to_have_value("breathes; <b>sobs</b>", timeout=60_000)
        expect(page.get_by_test_id("stMultiSelect").get_by_text("pause")).to_be_visible()
        settle(page)
        page.get_by_role("button", name="Export").click()
        table = pd.read_csv(io.BytesIO(download_file(page.get_by_role("button", name="CSV of all")))).set_index(
            "utterance_id"
        )
        assert (table.label == "sad").all()
        assert table.duration_s.max() <= 9
        assert table.note.dropna().to_dict() == {walked[0]: "breathes; <b>sobs</b>"}
        assert table.tags[walked[0]] == "pause"
        for kind, ending in (("TextGrid (Praat)", ".TextGrid"), ("ELAN", ".eaf")):
            page.get_by_role("radio", name=kind).click()
            page.get_by_role("button", name=re.compile(r"Make \d+ files")).click()
            archive = page.get_by_role("button", name=f"Download ZIP: {kind}")
            with zipfile.ZipFile(io.BytesIO(download_file(archive))) as files:
                assert set(files.namelist()) == {f"{name}{ending}" for name in table.index[:500]}
                assert "neutral" in files.read(f"{walked[0]}{ending}").decode()


def test_back_undoes_what_was_chosen_and_leads_from_page_to_page(page, address):
    page.goto(f"{address}/recall?{BOTH_RUNS}&question=taken")
    see_page(page, "How good, and how sure?")
    settle(page)
    page.locator(".st-key-chart-difference .scatterlayer .point").first.click(force=True)
    see_page(page, "Where does it fail?")
    page.get_by_role("button", name="Clear filters").click()
    see_address(page, "correct=all")
    see_page(page, "Where does it fail?")
    page.get_by_role("button", name="Open the first clip").click()
    see_address(page, "clip=Ses")
    see_page(page, "Where does it fail?")
    clip = address_values(page, "clip")

    page.go_back()
    expect(page.get_by_role("button", name="Open the first clip")).to_be_visible()
    assert address_values(page, "clip") == []
    assert address_values(page, "correct") == ["all"]
    page.go_back()
    expect(page.get_by_role("button", name="Clear filters")).to_be_visible()
    assert address_values(page, "wrong")
    assert address_values(page, "label")
    page.go_back()
    expect(page.get_by_role("heading", level=2, name="Taken for what?")).to_be_visible()
    assert address_values(page, "run") == ["seg+tri-w"]
    assert address_values(page, "other") == ["baseline"]
    page.go_forward()
    expect(page.get_by_role("button", name="Clear filters")).to_be_visible()
    page.go_forward()
    page.go_forward()
    expect(page.get_by_role("heading", level=3, name=clip[0])).to_be_visible()
    assert address_values(page, "clip") == clip


def test_back_on_the_timeline_and_on_a_page_that_ends_early(page, address):
    page.goto(address)
    see_page(page, "Which emotion, when?")
    page.get_by_role("radio", name="Baseline").click()
    see_address(page, "model=baseline")
    page.go_back()
    expect(page.get_by_role("radio", name="Segments + triplets", checked=True)).to_be_visible()
    assert address_values(page, "model") == []
    page.goto(f"{address}/compare")
    see_page(page, "What do segments and triplets change?")
    page.get_by_role("radio", name="Two runs").click()
    see_address(page, "subject=runs&run=")
    page.go_back()
    expect(page.get_by_test_id("stText").filter(has_text="sample.flac")).to_be_visible()
    see_page(page, "What do segments and triplets change?")
    assert address_values(page, "subject") == []


def test_many_picked_clips_stay_through_back(page, address, few):
    ids = pd.read_parquet(few / "runs" / "seg+tri-w" / "predictions.parquet").utterance_id.tolist()
    picked = "%20".join(ids[:30])
    page.goto(f"{address}/mistakes?{BOTH_RUNS}&ids={picked}")
    see_page(page, "Where does it fail?")
    expect(page.get_by_text("30 of 400").or_(page.get_by_text("30 picked clips")).first).to_be_visible()
    page.get_by_role("button", name="Open the first clip").click()
    see_address(page, "clip=Ses")
    page.go_back()
    expect(page.get_by_role("button", name="Open the first clip")).to_be_visible()
    expect(page.get_by_text("30 picked clips").first).to_be_visible()
    assert address_values(page, "clip") == []
    assert address_values(page, "ids")[0].split() == ids[:30]


def test_a_picture_saved_from_a_dark_page_is_dark_text_on_white(page, address):
    page.emulate_media(color_scheme="dark")
    page.goto(f"{address}/recall?{BOTH_RUNS}")
    see_page(page, "How good, and how sure?")
    page.get_by_role("radio", name="SVG").click()
    settle(page)
    chart = page.locator(".st-key-chart-recall .js-plotly-plot")
    assert chart.locator(".main-svg").first.evaluate("e => getComputedStyle(e).backgroundColor") == "rgba(0, 0, 0, 0)"
    chart.hover()
    with page.expect_download() as download:
        chart.locator("[data-title*='Download']").click()
    saved = Path(download.value.path()).read_text()
    assert download.value.suggested_filename == "segser-recall.svg"
    assert "fill: rgb(255, 255, 255)" in saved[:600]
    assert "fill: rgb(28, 36, 41)" in saved
    assert "fill: rgb(232, 237, 240)" not in saved
