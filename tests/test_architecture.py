"""One way through the house: imports, read from the source, go with the stream; and rules that a parser can see."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support.paths import ROOT

STREAM = ("ground", "audio", "network", "prediction", "runs", "statistics", "inference", "figures", "commands")
GROUND = (
    "errors",
    "labels",
    "systems",
    "paper",
    "formatting",
    "files",
    "bundled",
)  # what every room may use
TRAINING = ("config", "corpora", "features", "learning", "runs", "tables", "release", "commands")
WITH_TORCH = ("network", "inference")
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


def room_of(module: str, ground: tuple[str, ...] = GROUND) -> str:
    """The room of a module by its dotted name below the package: its first folder, the ground or the commands."""
    first, _, rest = module.partition(".")
    if first in ground:
        return "ground"
    return first if rest or first in (*STREAM, *TRAINING) else "commands"


def dotted(path: Path, package: str) -> str:
    """A file's dotted name below its package."""
    return ".".join(path.relative_to(ROOT / package).with_suffix("").parts)


def rooms(package: str, modules: set[str], ground: tuple[str, ...]) -> set[str]:
    """The rooms of those modules that are of a package."""
    return {room_of(m.removeprefix(f"{package}."), ground) for m in modules if m.startswith(f"{package}.")}


def against(package: str, room: str, module: ast.Module) -> list[str]:
    """The rooms that a module of a room uses although they come after it."""
    stream, ground = (STREAM, GROUND) if package == "segser_core" else (TRAINING, ("__init__",))
    of_modules = rooms(package, {m for m in imports(ast.walk(module)) if is_module(m)}, ground) & set(stream)
    return sorted(used for used in of_modules if stream.index(used) > stream.index(room))


def is_module(name: str) -> bool:
    """Whether a dotted name is a file or a folder of the project, and not a name in one."""
    place = ROOT / name.replace(".", "/")
    return place.with_suffix(".py").is_file() or place.is_dir()


def packages(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(ast.walk(tree(path)))}


def names(paths: list[Path]) -> list[str]:
    return [str(p.relative_to(ROOT)) for p in paths]


@pytest.mark.parametrize("package", ["segser_core", "training"])
def test_no_room_uses_one_that_comes_after_it(package):
    ground = GROUND if package == "segser_core" else ("__init__",)
    places = {p: room_of(dotted(p, package), ground) for p in sources(package)}
    found = {f"{p.relative_to(ROOT)} uses {r}" for p, room in places.items() for r in against(package, room, tree(p))}
    assert found == set()


def test_no_circle_among_modules():
    graph = {}
    for package in ("segser_core", "training", "pages"):
        for path in sources(package):
            name = f"{package}.{dotted(path, package)}".removesuffix(".__init__")
            graph[name] = {m for m in imports(at_start(tree(path))) if is_module(m)} - {name}
    list(TopologicalSorter(graph).static_order())  # CycleError names the circle


def test_an_arrow_against_the_stream_is_seen():
    for source in (
        "import segser_core.figures.timeline",
        "from segser_core.figures import timeline",
        "from segser_core.figures.timeline import timeline",
    ):
        assert against("segser_core", "runs", ast.parse(source)) == ["figures"]
        assert against("segser_core", "runs", ast.parse(f"def f():\n    {source}")) == ["figures"]
    assert against("segser_core", "runs", ast.parse("from segser_core.errors import RunError")) == []


def reachable(module: str) -> set[str]:
    """Every package that is imported, by whatever way, when a module of segser_core is."""
    seen, waiting, found = set(), {module}, set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        place = ROOT / name.replace(".", "/")
        file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        wanted = imports(at_start(tree(file)))
        found |= {w.split(".")[0] for w in wanted}
        waiting |= {w for w in wanted if w.startswith("segser_core.") and is_module(w)} - seen
    return found


@pytest.mark.parametrize("path", sources("segser_core"), ids=lambda p: dotted(p, "segser_core"))
def test_these_need_no_torch(path):
    name = dotted(path, "segser_core")
    if room_of(name) in WITH_TORCH:
        pytest.skip("this room is torch's")
    assert not reachable(f"segser_core.{name}".removesuffix(".__init__")) & {"torch", "torchaudio", "transformers"}


def test_torch_is_seen_where_it_is():
    assert "torch" in reachable("segser_core.network.model")


def test_who_may_import_whom():
    assert [n for n in names(sources("segser_core")) if packages(ROOT / n) & {"streamlit", "training", "pages"}] == []
    assert [n for n in names(sources("training")) if packages(ROOT / n) & {"streamlit", "pages"}] == []
    heavy = {"torch", "torchaudio", "transformers", "sklearn", "scipy", "training"}
    assert [n for n in names(sources("pages")) if packages(ROOT / n) & heavy] == []


def imported_tests(module: ast.Module) -> list[str]:
    """Find the test files that a module imports; what tests share lies in `tests/support`."""
    found = {m for m in imports(ast.walk(module)) if m.split(".")[0] in ("tests", "benchmarks") and is_module(m)}
    return sorted(m for m in found if m.split(".")[-1].startswith("test_"))


def test_no_test_imports_another_test_or_a_benchmark():
    found = {n: imported_tests(tree(ROOT / n)) for n in names([*sources("tests"), *sources("benchmarks")])}
    assert {n: f for n, f in found.items() if f} == {}
    assert [n for n in names(sources("tests")) if "benchmarks" in packages(ROOT / n)] == []


@pytest.mark.parametrize(
    "source",
    [
        "from tests.runs.test_run import read_run",
        "from tests.runs import test_run",
        "import tests.test_cli",
        "def f():\n    from benchmarks.tests import test_load",
    ],
)
def test_an_import_of_a_test_is_seen(source):
    assert imported_tests(ast.parse(source)) != []


@pytest.mark.parametrize(
    "source", ["from tests.support.paths import ROOT", "from segser_core.runs.test_split import test_rows"]
)
def test_support_may_be_imported(source):
    assert imported_tests(ast.parse(source)) == []


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
    assert dangers(ast.parse(source))
    assert not dangers(ast.parse("np.load(f, allow_pickle=False); model.eval()"))


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


def public_names(module: ast.Module) -> set[str]:
    """Find the public functions, classes, types and constants of a module, without variables in lower case."""
    found = set()
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            assigned = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
            found |= {name for name in assigned if not name.islower()}
    return {name for name in found if not name.startswith("_")}


def defined_twice(modules: dict[str, ast.Module]) -> dict[str, list[str]]:
    """Find the public names that several modules define; `main` is the name of every command."""
    places: dict[str, list[str]] = {}
    for file, module in modules.items():
        for name in public_names(module) - {"main"}:
            places.setdefault(name, []).append(file)
    return {name: files for name, files in places.items() if len(files) > 1}


@pytest.mark.parametrize("files", [everything(), sources("tests/support")], ids=["project", "tests"])
def test_no_public_name_is_defined_in_two_modules(files):
    assert defined_twice({str(p.relative_to(ROOT)): tree(p) for p in files}) == {}


@pytest.mark.parametrize("source", ["def rate(): ...", "class rate: ...", "RATE_HZ = 1", "LOW_HZ, RATE_HZ = 0, 1"])
def test_a_name_that_is_defined_twice_is_seen(source):
    other = "def rate(): ...\nRATE_HZ: int = 2"
    assert list(defined_twice({"a.py": ast.parse(source), "b.py": ast.parse(other)}).values()) == [["a.py", "b.py"]]


@pytest.mark.parametrize(
    "source", ["def _rate(): ...", "class Rate:\n    def rate(self): ...", "rate = 1", "import rate"]
)
def test_methods_and_private_names_may_repeat(source):
    assert defined_twice({"a.py": ast.parse(source), "b.py": ast.parse("def rate(): ...")}) == {}
