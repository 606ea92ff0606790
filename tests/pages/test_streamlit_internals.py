"""What leans on internals of Streamlit, Starlette and plotly is in one module, and is still there."""

import ast
from pathlib import Path

import pytest
import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit import net_util
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

from pages.shared.app import streamlit_internals
from tests.support.paths import ROOT

INTERNALS = ROOT / "pages" / "shared" / "app" / "streamlit_internals.py"
PUBLIC = ("streamlit", "streamlit.testing.v1", "plotly.graph_objects")


def imported(module: ast.Module) -> set[str]:
    """Every module that is imported from, and every module of Streamlit that is imported by its name."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            hidden = {
                f"{node.module}.{a.name}" for a in node.names if not hasattr(st, a.name) or node.module != "streamlit"
            }
            modules = {f"streamlit.{a.name}" for a in node.names if isinstance(getattr(st, a.name, None), type(ast))}
            found |= {node.module} if node.module in PUBLIC[1:] else hidden | modules
    return found


def leans(source: str) -> list[str]:
    """What a file of the pages uses that its makers do not promise to keep."""
    names = [n for n in imported(ast.parse(source)) if n.split(".")[0] in ("streamlit", "starlette", "plotly")]
    others = [word for word in ("<style", ".load_if_toml_exists", ".proto", "copy_context") if word in source]
    return sorted(n for n in names if n not in PUBLIC) + others


def test_no_other_file_of_the_pages_leans_on_internals():
    files = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py")]
    found = {str(f.relative_to(ROOT)): leans(f.read_text()) for f in files if f != INTERNALS}
    assert {name: of for name, of in found.items() if of} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import starlette",
        "from starlette.formparsers import MultiPartParser",
        "from streamlit import net_util",
        "from streamlit import config",
        "from streamlit.runtime.scriptrunner import get_script_run_ctx",
        "from streamlit.navigation.page import StreamlitPage",
        "import streamlit.runtime",
        "from plotly.io import _json",
        "st.html('<style>.legendtext { fill: red }</style>')",
    ],
)
def test_a_lean_is_seen(source):
    assert leans(source)


def test_what_is_public_is_no_lean():
    assert leans("import streamlit as st\nimport plotly.graph_objects as go\nst.secrets, st.get_option('a')") == []


def test_uploads_stay_in_memory(monkeypatch):
    monkeypatch.setattr(MultiPartParser, "spool_max_size", MultiPartParser.spool_max_size)
    streamlit_internals.keep_uploads_in_memory()
    assert MultiPartParser.spool_max_size > st.get_option("server.maxUploadSize") * 2**20


def test_nobody_is_asked_for_the_address_of_this_machine(monkeypatch):
    for name in ("get_external_ip", "get_internal_ip"):
        monkeypatch.setattr(net_util, name, getattr(net_util, name))
    streamlit_internals.hide_machine_address()
    assert net_util.get_external_ip() is None
    assert net_util.get_internal_ip() is None


def test_outside_of_a_run_there_is_no_history_navigation():
    assert not streamlit_internals.is_history_navigation()
    assert "is_history_navigation" in ScriptRunContext.__dataclass_fields__


def test_what_is_drawn_within_a_cached_call_is_not_recorded():
    drawn = []

    @st.cache_data
    def work(number: int, _draw) -> int:
        _draw(number)
        return number

    draw = streamlit_internals.draw_outside_cache(drawn.append)
    assert [work(1, draw), work(1, draw)] == [1, 1]
    assert drawn == [1]


def test_the_module_says_on_which_versions_it_was_seen():
    text = Path(INTERNALS).read_text()
    assert f"Streamlit {st.__version__}" in text
