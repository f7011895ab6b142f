"""End long work where nothing is half done."""

from __future__ import annotations

import signal
from contextlib import AbstractContextManager
from types import FrameType


class Interruption(AbstractContextManager["Interruption"]):
    """Notes Ctrl-C and SIGTERM while it is entered, for work that looks at `noted` as it goes on.

    A second signal ends the process at once, as the first would do elsewhere. A signal that is
    ignored stays so.
    """

    def __init__(self) -> None:
        self._number = 0
        self._before = {
            number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
        }

    @property
    def noted(self) -> bool:
        """Whether the work is to end."""
        return self._number > 0

    @property
    def status(self) -> int:
        """The exit status that tells the signal, as a shell has it."""
        return 128 + self._number

    def __enter__(self) -> Interruption:
        for number, handler in self._before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._number = number
        self.__exit__()
