"""One image: protected as a file or as a series, or refused by name with nothing left behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace

from medveil.carry.applying import Folders, mask_place
from medveil.carry.jobs import Job
from medveil.carry.naming import OWN_NAMES, Naming
from medveil.carry.one_file import protect_file
from medveil.carry.one_series import protect_series
from medveil.core.errors import MedveilError, OutputFailed
from medveil.core.release import Carried, Entry, Step
from medveil.io.names import stem


def protect_image(
    job: Job,
    steps: Sequence[Step],
    folders: Folders,
    carried: Callable[[], Carried] | None,
    naming: Naming = OWN_NAMES,
) -> Entry:
    """Protect one image. Never raises for one bad image: fails closed, and the entry says why.

    Args:
        carried: gives a located image of the same session, if there is one.
        naming: for DICOM, whose files hold names.

    Raises:
        OutputFailed: the release cannot be written at all.
    """
    entry = Entry(
        subject=job.place.parts[0] if len(job.place.parts) > 1 else job.place.name.split("_")[0],
        name="_".join(job.place.parts[1:]) if job.series else stem(job.place),
        state="refused",
        place=job.place,
        contrast=job.record.contrast,
    )
    try:
        if job.series is not None:
            return protect_series(job, job.series, steps, folders, carried, naming, entry)
        return protect_file(job, steps, folders, carried, entry)
    except OutputFailed:
        raise
    except MedveilError as error:
        reason = error.message
    except MemoryError:
        reason = "not enough memory for this image"
    except Exception as error:  # noqa: BLE001 - one odd file must not end the run; its text may hold values
        reason = f"a bug in medveil ({type(error).__name__}); the image was left out"
    if job.series is None:
        (folders.release / job.place).unlink(missing_ok=True)
    else:
        shutil.rmtree(folders.release / job.place, ignore_errors=True)
    (folders.inside / mask_place(job.place)).unlink(missing_ok=True)
    return replace(entry, reason=reason)
