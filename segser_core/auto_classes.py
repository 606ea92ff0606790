"""Register the configuration with transformers' AutoConfig as soon as transformers loads it, and not before.

`import segser_core` takes milliseconds and transformers takes seconds, so the registration waits: an import hook
watches for the module that holds AutoConfig. A configuration that is made registers the model with AutoModel.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

AUTO_CONFIG = "transformers.models.auto.configuration_auto"


def register_when_loaded() -> None:
    """Have AutoConfig and AutoModel know a checkpoint, whichever package is imported first."""
    if AUTO_CONFIG in sys.modules:
        _register(sys.modules[AUTO_CONFIG])
    else:
        sys.meta_path.insert(0, _Hook())


def _register(auto: ModuleType) -> None:
    from segser_core.network.config import SegmentEmotionConfig

    auto.AutoConfig.register(SegmentEmotionConfig.model_type, SegmentEmotionConfig, exist_ok=True)


class _Hook(MetaPathFinder):
    """Finder of AutoConfig's module alone, whose loader it wraps."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find the module as ever, and have it register the configuration once it has been executed."""
        if name != AUTO_CONFIG:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _RegisteringLoader(spec.loader)
        return spec


class _RegisteringLoader(Loader):
    """Loader that registers the configuration with the module that it has executed."""

    def __init__(self, loader: Loader):
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as its own loader does."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module, then register."""
        self.loader.exec_module(module)
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader  # which has more methods, for who asks for the source
        _register(module)
