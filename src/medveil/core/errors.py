"""What can go wrong, and the exit code each kind of failure ends with.

    MedveilError              exit 70   (never raised itself)
    ├── UsageError            exit 2    the command line or a setting is off
    │   └── MissingPackage    exit 2    a part needs a package that is not installed
    ├── InputRefused          exit 3    a file or folder cannot be taken as it is
    ├── Refusal               exit 4    a step would have had to guess about one image, so it declined by name
    ├── VerificationFailed    exit 5    a written file is not what it must be
    │   └── CannotOpen        exit 5    nothing that was given opens what was asked for
    └── OutputFailed          exit 3    nothing could be written (permissions, disk full)

A message is one lower-case line: what, where, what was expected; `hint` says what to do.
It may name a tag, a file's place in the cohort or a record, never a value found inside a file:
in a privacy tool every error is an output.
"""

from __future__ import annotations


class MedveilError(Exception):
    """Root of all errors medveil raises on purpose; `exit_code` is what the command line ends with."""

    exit_code = 70

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} (hint: {self.hint})" if self.hint else self.message


class UsageError(MedveilError):
    """A command, a setting or a combination of them that makes no sense."""

    exit_code = 2


class MissingPackage(UsageError):
    """A package that a part needs is missing; names the purpose and the exact line that installs it."""

    def __init__(self, package: str, purpose: str, install: str) -> None:
        super().__init__(f"{package} is needed for {purpose} and is not installed", hint=install)


class InputRefused(MedveilError):
    """A file or folder that cannot be read as what it should be."""

    exit_code = 3


class OutputFailed(MedveilError):
    """Output could not be written; nothing half-written is left behind."""

    exit_code = 3


class Refusal(MedveilError):
    """A step declines one image by a named reason instead of guessing.

    `reason` is a short stable phrase (`no head found`) that reports and manifests group by.
    """

    exit_code = 4

    def __init__(self, reason: str, detail: str = "", *, hint: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason, hint=hint)
        self.reason = reason


class VerificationFailed(MedveilError):
    """A file that was written and read again does not hold what was promised."""

    exit_code = 5


class CannotOpen(VerificationFailed):
    """Nothing that was given opens what was asked for."""
