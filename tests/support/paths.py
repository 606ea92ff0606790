"""Where the checkout, its sample and the real recordings lie."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SEGSER_SHARED", ROOT.parent / "shared"))
SAMPLE = ROOT / "segser_core" / "bundled" / "sample.flac"
CONFIGS = ROOT / "training" / "configs"
