"""Tell audio formats apart by endings and by the first bytes, and name those that libav may read."""

from pathlib import Path

# Demuxers whose files name no other file and no address; playlists and scripts (HLS, DASH, concat) are never tried.
DEMUXERS = (
    "wav,w64,flac,mp3,ogg,mov,matroska,aiff,aac,asf,caf,au,avi,amr,ac3,eac3,ape,tta,wv,voc,nistsphere,dss,dsf,"
    "mpegts,mpeg,flv"
)
# Containers that store a time with their packets; in the others libav counts samples, and junk between frames as well.
TIMED_DEMUXERS = ("mov", "matroska", "ogg", "flac", "asf", "avi", "flv", "mpegts", "mpeg")
SELF_SYNCHRONISING = ("mp3", "aac")  # formats whose frames each begin with a sync word: what lies between is no audio
SUPPORTED_FORMATS = "WAV, FLAC, MP3, OGG/Opus, M4A/AAC, WMA, CAF, AU, AMR, AIFF, or the sound of MP4, WebM, MKV or AVI"
AUDIO_ENDINGS = (
    "wav", "wave", "bwf", "rf64", "w64", "flac", "mp3", "mp2", "mpga", "ogg", "oga", "opus", "spx", "m4a", "m4b", "aac",
    "aif", "aiff", "aifc", "wma", "caf", "au", "snd", "amr", "ac3", "eac3", "ape", "tta", "wv", "voc", "sph", "dss",
    "dsf",
)  # fmt: skip
VIDEO_ENDINGS = (
    "mp4", "m4v", "mov", "webm", "mka", "mkv", "3gp", "3g2", "avi", "wmv", "asf", "flv", "f4v", "mpg", "mpeg", "vob",
    "ts", "mts", "m2ts", "ogv",
)  # fmt: skip
HEADER_BYTES = 16

Places = tuple[tuple[int, bytes], ...]
SIGNATURES: dict[str, Places] = {  # name → (place, bytes) at the start of such a file; the first that fits counts
    "WAV": ((8, b"WAVE"), (0, b"RF64"), (0, b"riff")),
    "AVI": ((8, b"AVI "),),
    "FLAC": ((0, b"fLaC"),),
    "Ogg": ((0, b"OggS"),),
    "MP4 or M4A": ((4, b"ftyp"), (4, b"moov")),
    "WebM or Matroska": ((0, b"\x1a\x45\xdf\xa3"),),
    "AIFF": ((8, b"AIFF"), (8, b"AIFC")),
    "MP3": ((0, b"ID3"),),
    "WMA": ((0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),),
    "CAF": ((0, b"caff"),),
    "AU": ((0, b".snd"),),
    "AMR": ((0, b"#!AMR"),),
    "FLV": ((0, b"FLV\x01"),),
    "Monkey's Audio": ((0, b"MAC "),),
    "True Audio": ((0, b"TTA1"),),
    "WavPack": ((0, b"wvpk"),),
    "VOC": ((0, b"Creative Voice"),),
    "NIST SPHERE": ((0, b"NIST_1A"),),
    "DSS": ((1, b"dss"),),
    "DSF": ((0, b"DSD "),),
}
CUT_HEADERS: dict[str, Places] = {"WAV": ((0, b"RIFF"),), "AIFF": ((0, b"FORM"),)}  # too short for the names above
UNREADABLE: dict[str, Places] = {  # sound that is encrypted or has no decoder here, and what is often taken for sound
    "DS2 (Olympus, Grundig, Philips dictation)": ((1, b"ds2"),),
    "Audible AAX, which is encrypted": ((4, b"ftypaax"),),
    "RealAudio or RealMedia": ((0, b".RMF"), (0, b".ra\xfd")),
    "MIDI, which holds notes and no sound": ((0, b"MThd"),),
    "a picture": (
        (4, b"ftypheic"), (4, b"ftypavif"), (4, b"ftypmif1"), (8, b"WEBP"), (0, b"\x89PNG"), (0, b"\xff\xd8\xff"),
    ),
    "PDF": ((0, b"%PDF"),),
    "a ZIP archive": ((0, b"PK\x03\x04"),),
    "a playlist": ((0, b"#EXTM3U"), (0, b"[playlist]"), (0, b"<ASX"), (0, b"<asx")),
}  # fmt: skip


def has_audio_ending(name: str) -> bool:
    """Check whether a file's name ends as a recording's does.

    Example:
        >>> has_audio_ending("clip.FLAC"), has_audio_ending("notes.txt")
        (True, False)
    """
    return Path(name).suffix[1:].lower() in AUDIO_ENDINGS + VIDEO_ENDINGS and not name.startswith("._")


def find_signature(start: bytes, signatures: dict[str, Places] = SIGNATURES) -> str | None:
    """Find the format whose signature a file's first 16 bytes have; None where none fits.

    Example:
        >>> find_signature(b"caff" + bytes(12)), find_signature(b"hello world")
        ('CAF', None)
    """
    fits = (name for name, places in signatures.items() if any(start[at:].startswith(mark) for at, mark in places))
    return next(fits, None)


def begins_like_audio(path: Path) -> bool:
    """Check a file's first bytes for the signature of an audio format; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(HEADER_BYTES)
    except OSError:
        return False
    return find_signature(start, UNREADABLE) is None and find_signature(start) is not None


def explain_unopened(start: bytes) -> str:
    """Explain from its first 16 bytes why libav does not open a file, and name the way out."""
    if other := find_signature(start, UNREADABLE):
        return f"not an audio file; expected {SUPPORTED_FORMATS}: this is {other}; convert or unpack it to one of these"
    if name := find_signature(start) or find_signature(start, CUT_HEADERS):
        return f"begins like {name}, but its header is damaged, cut off or makes no sense; export or copy it again"
    return f"not an audio file; expected {SUPPORTED_FORMATS}: convert it to one of these, or choose another file"
