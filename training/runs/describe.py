"""Describe a run: the content of run.json that training and evaluation share."""

import datetime
import platform
from importlib.metadata import version
from typing import Any

from segser_core import __version__
from segser_core.inference.predictor import Predictor
from segser_core.network.model import ORIGIN
from segser_core.systems import find_system
from training.corpora import corpus_definitions


def describe_run(predictor: Predictor, corpus: str, protocol: str, seeds: list[int], seconds: float) -> dict[str, Any]:
    """The content of run.json that training and evaluation share."""
    config, definition = predictor.model.config, corpus_definitions().get(corpus)
    names = ("torch", "torchaudio", "transformers", "numpy")
    return {
        "system": predictor.system,
        "labels": list(predictor.labels),
        "corpus": corpus,
        **({"corpus_info": definition.info.to_json()} if definition else {}),
        "protocol": protocol,
        "seeds": seeds,
        "encoder": {k: config.encoder[k] for k in ORIGIN if k in config.encoder},
        "layer": config.layer,
        "segment_frames": config.segment_frames,
        "stride_frames": config.stride_frames,
        "tail": config.tail,
        "aggregate": find_system(predictor.system).rule,
        "context": "clip",
        "longest_training_clip_s": config.longest_training_clip_s,
        "versions": {"python": platform.python_version(), "segser": __version__, **{n: version(n) for n in names}},
        "date": datetime.date.today().isoformat(),
        "device": str(predictor.device),
        "seconds": round(seconds),
    }
