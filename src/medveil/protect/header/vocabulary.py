"""Closed vocabularies of sidecar values, and the keys whose removal may be reported by name.

Codes are DICOM's defined terms (PS3.3 C.7.6.1, C.8.3.1, C.7.3.1.1.2) and BIDS' enumerations.
"""

from __future__ import annotations

MODALITY = frozenset({"MR", "MRI", "CT", "PT", "PET", "NM"})
MANUFACTURER = frozenset(
    {
        "Siemens", "SIEMENS", "Siemens Healthineers", "Siemens Healthcare", "GE", "GE MEDICAL SYSTEMS",
        "GE Medical Systems", "GE Healthcare", "Philips", "Philips Medical Systems", "Philips Healthcare",
        "Toshiba", "TOSHIBA", "TOSHIBA_MEC", "Canon", "CANON_MEC", "Canon Medical Systems", "Hitachi",
        "Hitachi Medical Corporation", "UIH", "United Imaging Healthcare", "Bruker", "Hyperfine",
        "Agilent", "Varian", "CPS", "Fujifilm",
    }
)  # fmt: skip
BODY_PART = frozenset(
    {
        "BRAIN",
        "HEAD",
        "HEADNECK",
        "NECK",
        "SKULL",
        "FACE",
        "WHOLEBODY",
        "CSPINE",
        "CHEST",
        "ABDOMEN",
        "PELVIS",
    }
)
POSITION = frozenset({"HFS", "HFP", "HFDR", "HFDL", "FFS", "FFP", "FFDR", "FFDL"})
IMAGE_TYPE = frozenset(
    {
        "ORIGINAL", "DERIVED", "PRIMARY", "SECONDARY", "AXIAL", "LOCALIZER", "OTHER", "NONE", "M", "P", "R", "I",
        "MAGNITUDE", "PHASE", "REAL", "IMAGINARY", "NORM", "ND", "DIS2D", "DIS3D", "FM", "FIL", "MOSAIC", "SE",
        "FFE", "IR", "M_SE", "M_FFE", "M_IR", "DIFFUSION", "T1", "T2", "PROTON_DENSITY", "VOLUME", "ADC", "MEAN",
        "MFSPLIT", "UNI", "INV1", "INV2", "WATER", "FAT", "IN_PHASE", "OPP_PHASE", "REFORMATTED", "MPR",
    }
)  # fmt: skip
SCANNING_SEQUENCE = frozenset({"SE", "IR", "GR", "EP", "RM"})
SEQUENCE_VARIANT = frozenset({"SK", "MTC", "SS", "TRSS", "SP", "MP", "OSP", "NONE"})
SCAN_OPTIONS = frozenset(
    {
        "PER",
        "RG",
        "CG",
        "PPG",
        "FC",
        "PFF",
        "PFP",
        "SP",
        "FS",
        "IR",
        "WE",
        "SAT1",
        "SAT2",
        "DB",
        "ARTDRIVE",
        "NONE",
    }
)
PULSE_SEQUENCE = frozenset(
    {"MPRAGE", "MP2RAGE", "SPGR", "FLASH", "TSE", "FSE", "SPACE", "FLAIR", "Spoiled Gradient Echo",
     "Gradient Echo", "Spin Echo", "Gradient Echo EPI", "Spin Echo EPI", "Turbo Spin Echo"}
)  # fmt: skip
DIRECTION = frozenset({"i", "i-", "j", "j-", "k", "k-"})
PET_UNITS = frozenset({"Bq/mL", "BQML", "Bq/ml", "kBq/mL", "CNTS", "SUV", "g/mL"})
TRACER = frozenset(
    {"FDG", "[18F]FDG", "PIB", "[11C]PIB", "Florbetapir", "Florbetaben", "Flutemetamol", "AV1451", "MK6240", "DASB",
     "Raclopride", "UCB-J", "FDOPA", "FET", "PSMA", "DOTATATE"}
)  # fmt: skip
NUCLIDE = frozenset({"C11", "F18", "O15", "N13", "Ga68", "Cu64", "Zr89", "Rb82", "I124"})
ADMINISTRATION = frozenset({"bolus", "infusion", "bolus-infusion"})
ACQUISITION_MODE = frozenset({"list mode", "3D", "2D", "dynamic", "static"})
RADIOACTIVITY_UNITS = frozenset({"MBq", "mCi", "kBq"})
BIDS_VERSIONS = frozenset(
    {f"1.{minor}.{patch}" for minor in range(12) for patch in range(4)}  # all there were up to 1.11.3
)

# Keys that dcm2niix or BIDS define and that never pass. Safe to name in a report.
REMOVED_KEYS = frozenset(
    {
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientAge", "PatientSize", "PatientWeight",
        "AccessionNumber", "OtherPatientIDs", "InstitutionName", "InstitutionAddress",
        "InstitutionalDepartmentName", "StationName", "DeviceSerialNumber", "ManufacturersModelName",
        "SoftwareVersions", "ReferringPhysician", "ReferringPhysicianName", "OperatorsName", "PhysicianName",
        "StudyInstanceUID", "SeriesInstanceUID", "StudyID", "SeriesNumber", "AcquisitionNumber", "StudyDescription",
        "SeriesDescription", "ProtocolName", "ProcedureStepDescription", "SequenceName", "PulseSequenceName",
        "PulseSequenceDetails", "AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime", "SeriesDate",
        "StudyDate", "StudyTime", "ContentDate", "ContentTime", "TimeZero", "ImageComments", "ImageTypeText",
        "ImageOrientationPatientDICOM", "ImageOrientationText", "TablePosition", "ShimSetting", "SAR", "TxRefAmp",
        "ImagingFrequency", "ImagedNucleus", "CoilString", "ReceiveCoilName", "ReceiveCoilActiveElements",
        "TransmitCoilName", "ConversionSoftware", "ConversionSoftwareVersion", "ConsistencyInfo", "WipMemBlock",
        "ConvolutionKernel", "ReconMethodName", "ReconFilterType", "AttenuationCorrection", "PharmaceuticalName",
        "HowToAcknowledge", "Sources", "SourceDatasets", "RawSources", "BidsGuess", "InternalPulseSequenceName",
        "Instructions", "TaskName", "TaskDescription", "CogAtlasID", "CogPOID", "B0FieldIdentifier",
        "B0FieldSource", "IntendedFor", "PhaseResolution", "RefLinesPE", "GlobalTableOffset",
    }
)  # fmt: skip
