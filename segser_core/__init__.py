"""segser: which emotion a speech model hears when, and why.

from segser_core import Predictor
prediction = Predictor.from_pretrained("seg+tri-w").predict("clip.wav")
for segment in prediction.segments:
    print(segment.start_s, segment.end_s, segment.label, segment.confidence)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segser_core.inference.predictor import Predictor

__version__ = "0.1.0"
__all__ = ["Predictor", "__version__"]


def __getattr__(name: str):
    """Import the predictor, and torch with it, only when it is asked for."""
    if name == "Predictor":
        from segser_core.inference.predictor import Predictor

        return Predictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
