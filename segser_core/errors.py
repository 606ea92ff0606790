"""Errors that say what was got, what was expected, and what to do."""


class SegserError(Exception):
    """Any problem that the user can mend; its text is one plain line, ready to be shown."""


class AudioError(SegserError):
    """A recording that cannot be analysed."""


class ModelError(SegserError):
    """A model or encoder that cannot be loaded as it stands."""


class RunError(SegserError):
    """A run folder that is incomplete, damaged or of another version."""


class CorpusError(SegserError):
    """A corpus, manifest or split that does not hold what it must."""


class SettingError(SegserError):
    """A setting outside its range or unknown by name."""
