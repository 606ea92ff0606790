"""segser: which emotion a speech model hears when, and why.

from segser_core import Predictor
prediction = Predictor.from_pretrained("seg+tri-w").predict("clip.wav")
for segment in prediction.segments:
    print(segment.start_s, segment.end_s, segment.label, segment.confidence)
"""

from importlib import import_module
from typing import TYPE_CHECKING

from segser_core.auto_classes import register_when_loaded

if TYPE_CHECKING:
    from segser_core.inference.predictor import Predictor
    from segser_core.network.config import SegmentEmotionConfig
    from segser_core.network.model import SegmentEmotionModel
    from segser_core.prediction.prediction import Prediction, Segment
    from segser_core.runs.run import Run, read_run

__version__ = "0.3.0"
__all__ = [
    "Prediction",
    "Predictor",
    "Run",
    "Segment",
    "SegmentEmotionConfig",
    "SegmentEmotionModel",
    "__version__",
    "read_run",
]
_MODULES = {
    "Predictor": "inference.predictor",
    "SegmentEmotionConfig": "network.config",
    "SegmentEmotionModel": "network.model",
    "Prediction": "prediction.prediction",
    "Segment": "prediction.prediction",
    "Run": "runs.run",
    "read_run": "runs.run",
}
register_when_loaded()


def __getattr__(name: str):
    """Import a public name, and torch or pandas with it, only when it is asked for."""
    if name in _MODULES:
        return getattr(import_module(f"segser_core.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
