"""Errors that say what was got, what was expected, and what to do."""


class SegserError(Exception):
    """Any problem that the user can mend; its text is one plain line, ready to be shown.

    Attributes:
        wrong_call: whether a name or value of the call is at fault, and not a file; decides the exit status.
    """

    wrong_call = False


class AudioError(SegserError):
    """A recording that cannot be analysed."""


class ModelError(SegserError):
    """A model or encoder that cannot be loaded as it stands."""


class UnknownModelError(ModelError):
    """A model or encoder that was asked for and is not there."""

    wrong_call = True


class RunError(SegserError):
    """A run folder that is incomplete, damaged or of another version."""


class UnknownRunError(RunError):
    """A run folder or a run's name that was asked for and is not there."""

    wrong_call = True


class CorpusError(SegserError):
    """A corpus, manifest or split that does not hold what it must."""


class UnknownCorpusError(CorpusError):
    """A corpus, protocol, or option of a corpus or its value, that was asked for and is not known."""

    wrong_call = True


class TurnsError(SegserError):
    """A turns file that cannot be read, or whose times are not those of its recording."""


class DownloadError(CorpusError):
    """A corpus that its publisher does not send as it should be."""


class SettingError(SegserError):
    """A setting outside its range or unknown by name."""

    wrong_call = True
