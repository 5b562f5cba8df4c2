"""BIDS sidecars: acquisition facts stay, in the range such facts have; the rest goes.

An allowlist by key, and by value: a number passes only within the plausible range of its key (an echo
time of 19700101 is a birth date), a word only if it is in the closed vocabulary of its key. So free text
never passes: ProtocolName, SeriesDescription, SequenceName, SoftwareVersions, ConvolutionKernel. Facts that
single out a scanner or a session also go: ImagingFrequency, SAR (it grows with the body), ShimSetting,
TablePosition, TxRefAmp, DeviceSerialNumber, ManufacturersModelName, StationName; and so do times
of day (TimeZero), UIDs, body size and weight. The manufacturer stays: it decides how an image looks, and
there are a dozen. Of dates, the day of acquisition stays where a key moves it; all others go, and without a key all go.
Sources: BIDS 1.9 metadata glossary; the fields that dcm2niix writes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medveil.protect.header import vocabulary as words
from medveil.protect.header.dates import day_of, shift_iso

UNNAMED = "(a key that is not in medveil's vocabulary)"
DATES = ("AcquisitionDateTime", "AcquisitionDate")  # of these the day passes, moved
_LONGEST = 4096  # entries of a list: slices or frames


@dataclass(frozen=True)
class Number:
    """A finite number from `low` to `high`, or (`many`) a list of them."""

    low: float
    high: float
    many: bool = False

    def passes(self, value: Any) -> bool:
        if self.many and isinstance(value, list):
            return 0 < len(value) <= _LONGEST and all(Number(self.low, self.high).passes(v) for v in value)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and math.isfinite(value) and self.low <= value <= self.high


@dataclass(frozen=True)
class Word:
    """One of a closed list of words, or (`many`) a list of them; case counts."""

    known: frozenset[str]
    many: bool = False

    def passes(self, value: Any) -> bool:
        if self.many and isinstance(value, list):
            return 0 < len(value) <= 64 and all(isinstance(v, str) and v in self.known for v in value)
        if not isinstance(value, str):
            return False
        return all(part in self.known for part in value.split("\\")) if self.many else value in self.known


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def passes(self, value: Any) -> bool:
        return isinstance(value, bool)


Rule = Number | Word | Flag

_SECONDS = Number(0, 100)
_RULES: dict[str, Rule] = {
    # What made the image
    "Modality": Word(words.MODALITY),
    "Manufacturer": Word(words.MANUFACTURER),
    "MagneticFieldStrength": Number(0.01, 20),
    "BodyPart": Word(words.BODY_PART),
    "BodyPartExamined": Word(words.BODY_PART),
    "PatientPosition": Word(words.POSITION),
    "ImageType": Word(words.IMAGE_TYPE, many=True),
    # MRI
    "MRAcquisitionType": Word(frozenset({"1D", "2D", "3D"})),
    "ScanningSequence": Word(words.SCANNING_SEQUENCE, many=True),
    "SequenceVariant": Word(words.SEQUENCE_VARIANT, many=True),
    "ScanOptions": Word(words.SCAN_OPTIONS, many=True),
    "PulseSequenceType": Word(words.PULSE_SEQUENCE),
    "EchoTime": Number(0, 10),
    "EchoTime1": Number(0, 10),
    "EchoTime2": Number(0, 10),
    "RepetitionTime": _SECONDS,
    "RepetitionTimeExcitation": _SECONDS,
    "RepetitionTimePreparation": _SECONDS,
    "InversionTime": Number(0, 20),
    "FlipAngle": Number(0, 360, many=True),
    "EchoNumber": Number(0, 64),
    "EchoTrainLength": Number(0, 4096),
    "PixelBandwidth": Number(0, 10_000),
    "DwellTime": Number(0, 1),
    "EffectiveEchoSpacing": Number(0, 1),
    "TotalReadoutTime": Number(0, 10),
    "PhaseEncodingDirection": Word(words.DIRECTION),
    "SliceEncodingDirection": Word(words.DIRECTION),
    "SliceTiming": Number(0, 100, many=True),
    "SliceThickness": Number(0, 100),
    "SpacingBetweenSlices": Number(0, 100),
    "PartialFourier": Number(0, 1),
    "PercentPhaseFOV": Number(0, 1000),
    "PercentSampling": Number(0, 1000),
    "PhaseEncodingSteps": Number(0, 4096),
    "AcquisitionMatrixPE": Number(0, 4096),
    "ReconMatrixPE": Number(0, 4096),
    "BaseResolution": Number(0, 4096),
    "ParallelReductionFactorInPlane": Number(0, 64),
    "ParallelReductionFactorOutOfPlane": Number(0, 64),
    "MultibandAccelerationFactor": Number(0, 64),
    "NonlinearGradientCorrection": Flag(),
    "MTState": Flag(),
    "SpoilingState": Flag(),
    "ArterialSpinLabelingType": Word(frozenset({"CASL", "PCASL", "PASL"})),
    "PostLabelingDelay": Number(0, 10, many=True),
    "LabelingDuration": Number(0, 10, many=True),
    "BackgroundSuppression": Flag(),
    "M0Type": Word(frozenset({"Separate", "Included", "Absent", "Estimate"})),
    "TotalAcquiredPairs": Number(0, 10_000),
    "BolusCutOffFlag": Flag(),
    "BolusCutOffTechnique": Word(frozenset({"QUIPSS", "QUIPSSII", "Q2TIPS"})),
    "BolusCutOffDelayTime": Number(0, 10, many=True),
    "NumberOfVolumesDiscardedByScanner": Number(0, 1000),
    "NumberOfVolumesDiscardedByUser": Number(0, 1000),
    # CT
    "KVP": Number(10, 500),
    "XRayExposure": Number(0, 10_000),
    "XRayTubeCurrent": Number(0, 5_000),
    "ExposureTime": Number(0, 100_000),
    "GantryDetectorTilt": Number(-90, 90),
    # PET; TimeZero is required there by BIDS and dropped, since it is a time of day
    "Units": Word(words.PET_UNITS),
    "TracerName": Word(words.TRACER),
    "TracerRadionuclide": Word(words.NUCLIDE),
    "ModeOfAdministration": Word(words.ADMINISTRATION),
    "AcquisitionMode": Word(words.ACQUISITION_MODE),
    "InjectedRadioactivityUnits": Word(words.RADIOACTIVITY_UNITS),
    "InjectedRadioactivity": Number(0, 5_000),
    "ScanStart": Number(-86_400, 86_400),
    "InjectionStart": Number(-86_400, 86_400),
    "FrameTimesStart": Number(0, 86_400, many=True),
    "FrameDuration": Number(0, 86_400, many=True),
    "ImageDecayCorrected": Flag(),
    "ImageDecayCorrectionTime": Number(-86_400, 86_400),
}


def clean_sidecar(data: Mapping[str, Any], days: int | None = None) -> tuple[dict[str, Any], list[str]]:
    """The part of a sidecar that may leave, and the keys that were removed.

    Args:
        data: what the sidecar says.
        days: the person's shift of dates; None where there is no key, and then no date leaves.

    Returns:
        The allowed facts in the order of the source, and the names of the removed keys, sorted: a key that
        medveil does not know is not named, since names can be typed into keys too; it is listed as UNNAMED.

    >>> clean_sidecar({"AcquisitionDateTime": "2024-03-01T10:20:30.5", "EchoTime": 0.002}, -1)
    ({'AcquisitionDateTime': '2024-02-29', 'EchoTime': 0.002}, [])
    """
    kept = {}
    for key, value in data.items():
        if key in _RULES and _RULES[key].passes(value):
            kept[key] = value
        elif key in DATES and days is not None and (day := _moved_day(value, days)):
            kept[key] = day
    gone = [key if key in _RULES or key in words.REMOVED_KEYS else UNNAMED for key in data if key not in kept]
    return kept, sorted(gone)


def _moved_day(value: Any, days: int) -> str | None:
    """The day of a date, moved, as YYYY-MM-DD without its time; None if it is coarse or no date."""
    day = day_of(value) if isinstance(value, str) else None
    return None if day is None else shift_iso(day.isoformat(), days)


def clean_description(data: Mapping[str, Any], version: str) -> dict[str, Any]:
    """A new dataset_description.json: nothing but the BIDS version passes from the old one.

    Args:
        data: the source's description, or {}.
        version: of medveil, for GeneratedBy.
    """
    bids = data.get("BIDSVersion")
    return {
        "Name": "A medveil release",
        "BIDSVersion": bids if Word(words.BIDS_VERSIONS).passes(bids) else "1.9.0",
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "medveil", "Version": version}],
    }
