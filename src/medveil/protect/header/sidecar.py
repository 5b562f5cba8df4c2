"""BIDS sidecars: acquisition facts stay, in the range such facts have; the rest goes.

An allowlist by key, and by value: a number passes only within the plausible range of its key (an echo
time of 19700101 is a birth date), a word only if it is in the closed vocabulary of its key. So free text
never passes: ProtocolName, SeriesDescription, SequenceName, SoftwareVersions, ConvolutionKernel. Facts that
single out a scanner or a session also go: ImagingFrequency, SAR (it grows with the body), ShimSetting,
TablePosition, TxRefAmp, DeviceSerialNumber, StationName; and so do times of day, UIDs, body size and weight.
The manufacturer stays, and the model if it is a common one: they decide how an image looks.
Of dates, the day of acquisition stays where a key moves it; all others go, and without a key all go.

PET      what BIDS requires as text and may not pass leaves as "n/a", so that the release validates
         TimeZero, a time of day, leaves as 00:00:00: all other times are relative to it and stay true
         a parameter of reconstruction leaves with its value and unit if all its words are known; ["none"] if none does

Sources: BIDS 1.11 metadata glossary; the fields that dcm2niix and PET2BIDS write.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medveil.protect.header import vocabulary as words
from medveil.protect.header.dates import day_of, shift_iso

UNNAMED = "(a key that is not in medveil's vocabulary)"
DATES = ("AcquisitionDateTime", "AcquisitionDate")  # of these the day passes, moved
UNKNOWN = "n/a"
_LONGEST = 4096  # entries of a list: slices or frames
_PARAMETERS = 64  # of a reconstruction, at most
_TIME_ZERO, _MIDNIGHT = "TimeZero", "00:00:00"
_TIME = re.compile(r"(?:2[0-3]|[01]?[0-9]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?")
_LABELS, _UNITS, _VALUES = (f"ReconMethodParameter{what}" for what in ("Labels", "Units", "Values"))


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
    "ManufacturersModelName": Word(words.MODEL),
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
    # PET; TimeZero and the parameters of reconstruction have functions of their own
    "Units": Word(words.PET_UNITS),
    "TracerName": Word(words.TRACER),
    "TracerRadionuclide": Word(words.NUCLIDE),
    "ModeOfAdministration": Word(words.ADMINISTRATION),
    "AcquisitionMode": Word(words.ACQUISITION_MODE),
    "InjectedRadioactivityUnits": Word(words.RADIOACTIVITY_UNITS),
    "InjectedRadioactivity": Number(0, 5_000),
    "InjectedMass": Number(0, 10_000),
    "InjectedMassUnits": Word(words.MASS_UNITS),
    "SpecificRadioactivity": Number(0, 100_000),
    "SpecificRadioactivityUnits": Word(words.PER_MASS_UNITS),
    "MolarActivity": Number(0, 100_000),
    "MolarActivityUnits": Word(words.PER_MASS_UNITS),
    "InfusionRadioactivity": Number(0, 5_000),
    "InfusionStart": Number(-86_400, 86_400),
    "InfusionSpeed": Number(0, 1_000),
    "InfusionSpeedUnits": Word(words.SPEED_UNITS),
    "InjectedVolume": Number(0, 1_000),
    "ScanStart": Number(-86_400, 86_400),
    "InjectionStart": Number(-86_400, 86_400),
    "FrameTimesStart": Number(0, 86_400, many=True),
    "FrameDuration": Number(0, 86_400, many=True),
    "ImageDecayCorrected": Flag(),
    "ImageDecayCorrectionTime": Number(-86_400, 86_400),
    "ReconMethodName": Word(words.RECON_METHOD),
    "ReconFilterType": Word(words.RECON_FILTER, many=True),
    "ReconFilterSize": Number(0, 100, many=True),
    "AttenuationCorrection": Word(words.ATTENUATION),
}


def clean_sidecar(data: Mapping[str, Any], days: int | None = None) -> tuple[dict[str, Any], list[str]]:
    """The part of a sidecar that may leave, and the keys whose value does not.

    Args:
        data: what the sidecar says.
        days: the person's shift of dates; None where there is no key, and then no date leaves.

    Returns:
        The allowed facts in the order of the source, and the names of the keys that are removed or, for PET,
        stand without their value, sorted: a key that medveil does not know is not named, since names can be typed
        into keys too; it is listed as UNNAMED.

    >>> clean_sidecar({"AcquisitionDateTime": "2024-03-01T10:20:30.5", "EchoTime": 0.002}, -1)
    ({'AcquisitionDateTime': '2024-02-29', 'EchoTime': 0.002}, [])
    >>> clean_sidecar({"TracerName": "of Jane", "TimeZero": "10:32:00", "ScanStart": 60})
    ({'TracerName': 'n/a', 'TimeZero': '00:00:00', 'ScanStart': 60}, ['TimeZero', 'TracerName'])
    """
    kept: dict[str, Any] = {}
    pet = not words.PET_ONLY.isdisjoint(data)
    parameters = _parameters(data) if pet else {}
    for key, value in data.items():
        if key in _RULES and _RULES[key].passes(value):
            kept[key] = value
        elif key in DATES and days is not None and (day := _moved_day(value, days)):
            kept[key] = day
        elif key in parameters:
            kept[key] = parameters[key]
        elif key == _TIME_ZERO and isinstance(value, str) and _TIME.fullmatch(value):
            kept[key] = _MIDNIGHT
        elif pet and key in words.PET_TEXTS:
            kept[key] = UNKNOWN
    gone = [
        key for key, value in data.items() if key not in kept or (key not in DATES and kept[key] != value)
    ]
    return kept, sorted(key if key in _RULES or key in words.REMOVED_KEYS else UNNAMED for key in gone)


def _parameters(data: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Those parameters of a reconstruction whose label is known and whose value is in its range.

    BIDS reads the label "none" as there being none to tell; then it asks for no values.
    """
    if _LABELS not in data:
        return {}
    labels, units, values = (_listed(data.get(key)) for key in (_LABELS, _UNITS, _VALUES))
    fit = len(labels) == len(values) <= _PARAMETERS
    known = [i for i, label in enumerate(labels) if fit and _is_parameter(label, values[i])]
    if not known:
        return {_LABELS: ["none"]}
    out = {_LABELS: [labels[i] for i in known], _VALUES: [values[i] for i in known]}
    if len(units) == len(labels):
        told = Word(words.RECON_PARAMETER_UNITS)
        out[_UNITS] = [units[i] if told.passes(units[i]) else UNKNOWN for i in known]
    elif _UNITS in data:
        out[_UNITS] = [UNKNOWN] * len(known)
    return out


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_parameter(label: Any, value: Any) -> bool:
    known = isinstance(label, str) and label in words.RECON_PARAMETER
    return known and Number(0, words.RECON_PARAMETER[label]).passes(value)


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
