"""Open, run and read pages without a browser, by Streamlit's AppTest."""

import json

from streamlit.testing.v1 import AppTest

from tests.support.paths import ROOT


def open_page(page: str, **address: str) -> AppTest:
    """Open a page as a visitor who follows a link to it, before its first run."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).switch_page(f"pages/{page}.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app


def run_page(app: AppTest) -> AppTest:
    """Run a page and check that it raises nothing."""
    app.run()
    assert not app.exception, app.exception[0].value
    return app


def page_text(app: AppTest) -> str:
    """Join all that a page says into one string."""
    return "\n".join(str(getattr(element, "value", "")) for element in app.main)


def chart_spec(app: AppTest, place: int = -1) -> dict:
    """Read the figure of a page's chart."""
    return json.loads(app.get("plotly_chart")[place].proto.spec)


def choose_source(app: AppTest, source: str, consent: bool = True) -> AppTest:
    """Choose where the recording comes from, and give consent."""
    run_page(app)
    app.segmented_control(key="source").set_value(source)
    run_page(app)
    if consent:
        app.checkbox(key="consent").check()
        run_page(app)
    return app


def upload_files(*files: tuple[str, bytes], **address: str) -> AppTest:
    """Open Timeline with several files uploaded at once."""
    app = choose_source(open_page("timeline", **address), "upload")
    for name, data in files:
        app.file_uploader[0].upload(name, data, "audio/wav")
    return run_page(app)
