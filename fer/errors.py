"""Every error this project raises on purpose.

FERError
├── ImageError      the bytes of a picture cannot be used
├── VideoError      a video or a camera cannot be used
├── ModelError      a version folder or its graph cannot be used
├── DownloadError   the Hub is out of reach or too slow, and no cached copy exists
├── RegistryError   the Hub refuses a repo, or what names its versions is broken
└── DataError       a data set for training cannot be used

A message says what was received, what was expected and how to mend it.
Pages and the command line catch `FERError` and show it; anything else is a bug and fails loudly.
"""


class FERError(Exception):
    """Base of all expected errors, whose messages are written for people.

    Example:
        >>> from fer import FERError, load_image
        >>> try:
        ...     load_image(b"", name="portrait.jpg")
        ... except FERError as error:
        ...     print(error)
        portrait.jpg: the file is empty (received 0 bytes); choose another or export it again
    """


class ImageError(FERError):
    """The bytes of a picture cannot be used: empty, not an image, damaged or too large."""


class VideoError(FERError):
    """A video or a camera cannot be used: it is missing, shows nothing, or cannot be written."""


class ModelError(FERError):
    """A detector, a version folder or its graph cannot be used."""


class DownloadError(FERError):
    """The Hub is out of reach, in trouble or too slow, and no cached copy exists.

    Trying later may help.
    """


class RegistryError(FERError):
    """The Hub refuses a repo (missing, private, gated, token), or its aliases are broken.

    Somebody has to act.
    """


class DataError(FERError):
    """A data set for training cannot be used; the message names the file and the row."""
