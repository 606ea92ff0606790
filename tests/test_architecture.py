"""One way through the house: imports, read from the source, go with the stream; and rules that a parser can see."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STREAM = (
    "errors",
    "labels",
    "systems",
    "paper",
    "text",
    "decoding",
    "audio",
    "checkpoints",
    "encoders",
    "layers",
    "segments",
    "losses",
    "model",
    "prediction",
    "metrics",
    "significance",
    "bootstrap",
    "paired",
    "rows",
    "calibration",
    "scores",
    "run_files",
    "places",
    "runs",
    "aggregation",
    "clips",
    "selection",
    "rules",
    "breakdown",
    "score_tables",
    "notes",
    "predictor",
    "projection",
    "exports",
    "stream",
    "analysis",
    "report",
    "stretches",
    "drawing",
    "figures",
    "grid_figures",
    "run_figures",
    "maps",
    "map_figure",
    "pairs",
    "cli",
    "__main__",
)
WITH_TORCH = ("encoders", "layers", "segments", "losses", "model", "predictor", "analysis")
WITHOUT_TORCH = tuple(name for name in STREAM if name not in WITH_TORCH)
LONGEST_FUNCTION = 60


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(nodes: Iterator[ast.AST]) -> set[str]:
    """Every module that is imported, and for `from a import b` both a and a.b."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def at_start(module: ast.Module) -> Iterator[ast.AST]:
    """The nodes that run when a module is imported: not those in functions or under TYPE_CHECKING."""
    waiting = list(module.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def of_package(modules: set[str]) -> set[str]:
    return {name.split(".")[1] for name in modules if name.startswith("segser_core.")} & set(STREAM)


def against(name: str, module: ast.Module) -> list[str]:
    """What a module of segser_core imports that comes after it in the stream, or is itself."""
    return sorted(m for m in of_package(imports(ast.walk(module))) if STREAM.index(m) >= STREAM.index(name))


def packages(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(ast.walk(tree(path)))}


def names(paths: list[Path]) -> list[str]:
    return [str(p.relative_to(ROOT)) for p in paths]


@pytest.mark.parametrize("path", sources("segser_core"), ids=lambda p: p.stem)
def test_no_arrow_against_the_stream(path):
    if path.name == "__init__.py":
        assert imports(at_start(tree(path))) <= {"typing", "typing.TYPE_CHECKING"}, "the package itself imports nothing"
        return
    assert path.stem in STREAM, f"{path.name} has no place in the stream: give it one in this file"
    assert against(path.stem, tree(path)) == []


def test_an_arrow_against_the_stream_is_seen():
    for source in ("import segser_core.cli", "from segser_core import cli", "from segser_core.cli import app"):
        assert against("runs", ast.parse(source)) == ["cli"]
        assert against("runs", ast.parse(f"def f():\n    {source}")) == ["cli"]
    assert against("runs", ast.parse("from segser_core.errors import RunError")) == []


def reachable(name: str) -> set[str]:
    """Every package that is imported, by whatever way, when a module of segser_core is."""
    seen, waiting, found = set(), {name}, set()
    while waiting:
        module = waiting.pop()
        seen.add(module)
        wanted = imports(at_start(tree(ROOT / "segser_core" / f"{module}.py")))
        found |= {w.split(".")[0] for w in wanted}
        waiting |= of_package(wanted) - seen
    return found


@pytest.mark.parametrize("name", WITHOUT_TORCH)
def test_these_need_no_torch(name):
    assert not reachable(name) & {"torch", "torchaudio", "transformers"}


def test_torch_is_seen_where_it_is():
    assert "torch" in reachable("model")


def test_who_may_import_whom():
    assert [n for n in names(sources("segser_core")) if packages(ROOT / n) & {"streamlit", "training", "pages"}] == []
    assert [n for n in names(sources("training")) if packages(ROOT / n) & {"streamlit", "pages"}] == []
    heavy = {"torch", "torchaudio", "transformers", "sklearn", "scipy", "training"}
    assert [n for n in names(sources("pages")) if packages(ROOT / n) & heavy] == []


def everything() -> list[Path]:
    return [*sources("segser_core"), *sources("training"), *sources("pages")]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


def test_no_function_is_too_long():
    functions = [
        (path, node)
        for path in everything()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert functions
    long = [f"{p.name}: {f.name} has {length(f)} lines" for p, f in functions if length(f) > LONGEST_FUNCTION]
    assert long == []


def dangers(module: ast.Module) -> list[str]:
    """Pickle in any guise, eval, star imports, and an except that hides everything."""
    found = [m for m in imports(ast.walk(module)) if m.split(".")[0] in ("pickle", "dill", "joblib", "cloudpickle")]
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("eval", "exec", "torch.load"):
            found.append(ast.unparse(node.func))
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
            found.append("allow_pickle")
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            found.append("import *")
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            found.append("bare except")
    return found


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "eval('1')",
        "exec(x)",
        "torch.load(f)",
        "np.load(f, allow_pickle=True)",
        "from os import *",
        "try:\n    pass\nexcept:\n    pass",
    ],
)
def test_a_danger_is_seen(source):
    assert dangers(ast.parse(source)) and not dangers(ast.parse("np.load(f, allow_pickle=False); model.eval()"))


def test_no_dangers():
    assert {p.name: d for p in everything() if (d := dangers(tree(p)))} == {}


def test_the_core_does_not_print():
    printing = [
        path.name
        for path in sources("segser_core")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert set(printing) <= {"cli.py"}


def test_what_is_public_is_documented():
    bare = [
        f"{path.name}: {node.name}"
        for path in [*sources("segser_core"), *sources("training")]
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert bare == []
