"""transformers' Auto classes know a checkpoint once `segser_core` is imported, whichever package comes first."""

import subprocess
import sys

import pytest

from segser_core.bundled import BUNDLED
from tests.support.paths import ROOT

CHECKPOINT = BUNDLED / "baseline" / "checkpoint"


def output_of(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    "imports",
    [
        "import segser_core; from transformers import AutoConfig, AutoModel",
        "from transformers import AutoConfig, AutoModel; import segser_core",
        "import segser_core; from transformers import Wav2Vec2Model, AutoModel, AutoConfig",
        "from segser_core import Predictor; from transformers import AutoConfig, AutoModel",
    ],
)
def test_auto_classes_load_a_checkpoint(imports):
    code = f"""{imports}
print(*(type(auto.from_pretrained({str(CHECKPOINT)!r})).__name__ for auto in (AutoModel, AutoConfig)))"""
    assert output_of(code) == ["SegmentEmotionModel", "SegmentEmotionConfig"]


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, segser_core; print(*({'torch', 'transformers', 'pandas', 'numpy'} & set(sys.modules)))"
    assert output_of(code) == []
