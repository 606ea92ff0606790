"""Open, run and read pages without a browser, by Streamlit's AppTest."""

import json

from streamlit.testing.v1 import AppTest

from tests.support.paths import ROOT


def opened(page: str, **address: str) -> AppTest:
    """A page as a visitor meets it who follows a link to it, before its first run."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).switch_page(f"pages/{page}.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception[0].value
    return app


def said(app: AppTest) -> str:
    """All that a page says, in one string."""
    return "\n".join(str(getattr(element, "value", "")) for element in app.main)


def figure(app: AppTest, place: int = -1) -> dict:
    """What a page's chart draws."""
    return json.loads(app.get("plotly_chart")[place].proto.spec)


def choose(app: AppTest, source: str, consent: bool = True) -> AppTest:
    run(app)
    app.segmented_control(key="source").set_value(source)
    run(app)
    if consent:
        app.checkbox(key="consent").check()
        run(app)
    return app


def several(*files: tuple[str, bytes]) -> AppTest:
    """Timeline with several files uploaded at once."""
    app = choose(opened("timeline"), "upload")
    for name, data in files:
        app.file_uploader[0].upload(name, data, "audio/wav")
    return run(app)
