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
RADIOACTIVITY_UNITS = frozenset({"Bq", "kBq", "MBq", "GBq", "uCi", "mCi"})
MASS_UNITS = frozenset({"pg", "ng", "ug", "mg", "g", "pmol", "nmol", "umol", "mmol", "mol", "n/a"})
PER_MASS_UNITS = frozenset(
    {f"{activity}/{mass}" for activity in (*RADIOACTIVITY_UNITS, "Ci") for mass in MASS_UNITS - {"n/a"}}
    | {"n/a"}
)
SPEED_UNITS = frozenset({"mL/s", "mL/min", "mL/h"})
RECON_METHOD = frozenset(
    {
        "FBP", "Filtered Back Projection", "FilteredBackProjection", "2D FBP", "3D FBP", "3DRP", "3D Kinahan-Rogers", "DIFT",
        "MLEM", "OSEM", "2D-OSEM", "2D OSEM", "3D-OSEM", "3D OSEM", "OSEM3D", "OP-OSEM", "3d-op-osem", "3D-OP-OSEM",
        "3D-OSEM-PSF", "OSEM3D-OP-PSF", "OP-OSEM+PSF", "PSF", "TOF", "PSF+TOF", "OSEM+PSF", "OSEM+TOF", "OSEM+PSF+TOF",
        "TrueX", "TrueX+TOF", "RAMLA", "3D-RAMLA", "LOR-RAMLA", "BLOB-OS-TF", "blob-os-tf", "VPHD", "VPHD-S", "VPHDS", "VPFX",
        "VPFX-S", "VPFXS", "QCHD", "QCHD-S", "QCFX", "QCFX-S", "Q.Clear", "BSREM", "MAP", "3D Iterative", "Vendor",
        "Ordered Subset Expectation Maximization", "3D Ordered Subset Expectation Maximization",
        "Ordinary Poisson - Ordered Subset Expectation Maximization", "Point-Spread Function",
        "Ordinary Poisson 3D Ordered Subset Expectation Maximization + Point-Spread Function", "Time Of Flight",
        "Point-Spread Function + Time Of Flight", "Point-Spread Function modelling Time Of Flight",
        "Row Action Maximum Likelihood", "3D Row Action Maximum Likelihood",
        "Line Of Response - Row Action Maximum Likelihood", "VUE Point HD", "VUE Point HD using Time Of Flight",
        "none", "n/a",
    }
)  # fmt: skip
RECON_PARAMETER = {  # and the largest value of each
    "iterations": 1000, "subsets": 1000, "subiterations": 1000, "zoom": 20, "beta": 1000,
    "lower_threshold": 1000, "upper_threshold": 1000, "lower energy threshold": 1000, "upper energy threshold": 1000,
}  # fmt: skip
RECON_PARAMETER_UNITS = frozenset({"none", "n/a", "unitless", "keV"})
RECON_FILTER = frozenset(
    {
        "none", "n/a", "Gaussian", "gaussian", "Gauss", "XYZ Gauss", "XYZ Gaussian", "XYZGAUSSIAN", "3D Gaussian", "Shepp",
        "Shepp-Logan", "Shepp 0.5", "All-pass", "All-pass 0.4", "Ramp", "Hann", "Hanning", "Hamming", "Butterworth",
        "Parzen", "Cosine", "Median", "Box", "PSF",
    }
)  # fmt: skip
ATTENUATION = frozenset(
    {
        "none", "NONE", "n/a", "CT", "CT-based", "CTAC", "CTAC-SG", "measured", "measured,AC_CT", "measured,AC_CT_Brain",
        "measured,, 0.096000 cm-1,", "NONE, 0.000000 cm-1,", "MR", "MR-based", "MRAC", "DIXON", "Dixon", "DIXON Brain HiRes",
        "UTE", "ZTE", "atlas", "atlas-based", "calculated", "transmission", "transmission scan", "transmission scan-based",
        "[137Cs]transmission scan-based", "[68Ge]transmission scan-based", "10-min transmission scan",
    }
)  # fmt: skip
# Common scanners of the large makers, as DICOM and people write them; common is a judgement, there is no public count. Not those
# of which there are few and which so tell the site: prototypes, Connectom, 7 T, HRRT, total-body PET.
MODEL = frozenset(
    {
        # MR
        "Aera", "Altea", "Amira", "Avanto", "Avanto_fit", "Espree", "Essenza", "Lumina", "Prisma", "Prisma_fit",
        "Skyra", "Skyra_fit", "Sola", "Sonata", "SonataVision", "Spectra", "Symphony", "SymphonyTim", "SymphonyVision", "Trio",
        "TrioTim", "Verio", "Vida", "MAGNETOM Aera", "MAGNETOM Altea", "MAGNETOM Avanto", "MAGNETOM Lumina",
        "MAGNETOM Prisma", "MAGNETOM Prisma Fit", "MAGNETOM Prisma fit", "MAGNETOM Skyra", "MAGNETOM Sola", "MAGNETOM Vida",
        "GENESIS_SIGNA", "SIGNA EXCITE", "SIGNA HDx", "Signa HDx", "SIGNA HDxt", "Signa HDxt", "SIGNA Architect",
        "SIGNA Artist", "SIGNA Creator", "SIGNA Explorer", "SIGNA Pioneer", "SIGNA Premier", "SIGNA Voyager",
        "DISCOVERY MR450", "Discovery MR450", "DISCOVERY MR750", "DISCOVERY_MR750", "Discovery MR750", "DISCOVERY MR750w",
        "Discovery MR750w", "Optima MR360", "Optima MR450w", "Achieva", "Achieva dStream", "Gyroscan Intera", "Gyroscan NT",
        "Ingenia", "Ingenia Ambition S", "Ingenia Ambition X", "Ingenia CX", "Ingenia Elition S", "Ingenia Elition X", "Intera",
        "Intera Achieva", "Multiva", "uMR 560", "uMR 570", "uMR 770", "uMR 780", "uMR 790",
        # PET, alone and with CT or MR
        "Biograph", "Biograph 6", "Biograph 16", "Biograph 40", "Biograph 64", "Biograph6", "Biograph16", "Biograph40",
        "Biograph64", "Biograph mCT", "Biograph 20_mCT", "Biograph 40_mCT", "Biograph 64_mCT", "Biograph 128_mCT",
        "Biograph20_mCT", "Biograph40_mCT", "Biograph64_mCT", "Biograph128_mCT", "Biograph Horizon", "Biograph Vision",
        "Biograph128_Vision 450", "Biograph128_Vision 600", "Biograph mMR", "Biograph mMr", "Biograph_mMR", "1080", "1093", "1094",
        "Advance", "Discovery", "Discovery LS", "Discovery ST", "Discovery STE", "Discovery RX", "Discovery 600",
        "Discovery 610", "Discovery 690", "Discovery 710", "Discovery IQ", "Discovery MI", "Discovery MI DR", "SIGNA PET/MR",
        "Signa PET/MR", "Allegro Body(C)", "Guardian Body(C)", "Gemini TF", "GEMINI TF TOF 16", "GEMINI TF TOF 64",
        "Ingenuity TF", "Ingenuity TF PET/CT", "Vereos", "Vereos PET/CT", "Cartesion Prime", "uMI 510", "uMI 550",
        "uMI 780",
        # CT
        "Sensation 16", "Sensation 40", "Sensation 64", "Emotion 6", "Emotion 16", "Volume Zoom", "Perspective",
        "SOMATOM Definition", "SOMATOM Definition AS", "SOMATOM Definition AS+", "SOMATOM Definition Edge",
        "SOMATOM Definition Flash", "SOMATOM Drive", "SOMATOM Force", "SOMATOM go.Top", "SOMATOM go.Up", "LightSpeed VCT",
        "LightSpeed16", "LightSpeed Plus", "LightSpeed Pro 16", "LightSpeed QX/i", "LightSpeed Ultra", "BrightSpeed",
        "Discovery CT750 HD", "Optima CT540", "Optima CT660", "Revolution CT", "Revolution EVO", "Brilliance 16",
        "Brilliance 40", "Brilliance 64", "Brilliance Big Bore", "iCT 256", "Ingenuity CT", "Mx8000", "Mx8000 IDT 16",
        "Aquilion", "Aquilion ONE", "Aquilion PRIME",
    }
)  # fmt: skip
# What BIDS requires of PET and where it takes a text: it leaves as "n/a" where the source has it and its value may not pass.
PET_ONLY = frozenset({"TracerName", "TracerRadionuclide", "TimeZero"})
PET_TEXTS = frozenset(
    {
        "Manufacturer", "ManufacturersModelName", "Units", "TracerName", "TracerRadionuclide", "InjectedRadioactivityUnits",
        "InjectedMass", "InjectedMassUnits", "SpecificRadioactivity", "SpecificRadioactivityUnits", "ModeOfAdministration",
        "InfusionSpeedUnits", "AcquisitionMode", "ReconMethodName", "ReconFilterType", "AttenuationCorrection",
    }
)  # fmt: skip
BIDS_VERSIONS = frozenset(
    {f"1.{minor}.{patch}" for minor in range(12) for patch in range(4)}  # all there were up to 1.11.3
)

# Keys that dcm2niix or BIDS define and that do not pass, or seldom as they are. Safe to name in a report.
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
        "ConvolutionKernel", "ReconMethodName", "ReconFilterType", "AttenuationCorrection",
        "ReconMethodParameterLabels", "ReconMethodParameterUnits", "ReconMethodParameterValues", "PharmaceuticalName",
        "MolarActivityMeasTime", "SpecificRadioactivityMeasTime", "HowToAcknowledge", "Sources",
        "SourceDatasets", "RawSources", "BidsGuess", "InternalPulseSequenceName",
        "Instructions", "TaskName", "TaskDescription", "CogAtlasID", "CogPOID", "B0FieldIdentifier",
        "B0FieldSource", "IntendedFor", "PhaseResolution", "RefLinesPE", "GlobalTableOffset",
    }
)  # fmt: skip
