"""Where identifiers hide in the dataset of one DICOM file, as data: 159 places of 166.

The other seven lie around the dataset: preamble, file meta, padding, behind the pixels (`in_dicom`). Classes and
counts are those of the leak table that was measured for dicognito, deid and dicom-anonymizer, so that rows can be
compared. A path such as `RequestAttributesSequence.RequestedProcedureID` makes the sequences on its way.
"""

from __future__ import annotations

IDENTIFIERS = [
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "OtherPatientNames",
    "PatientBirthName",
    "PatientMotherBirthName",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "MedicalRecordLocator",
    "EthnicGroup",
    "Occupation",
    "PatientReligiousPreference",
    "MilitaryRank",
    "BranchOfService",
    "CountryOfResidence",
    "RegionOfResidence",
    "AccessionNumber",
    "StudyID",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "ReferringPhysicianName",
    "ReferringPhysicianAddress",
    "ReferringPhysicianTelephoneNumbers",
    "ConsultingPhysicianName",
    "PhysiciansOfRecord",
    "PerformingPhysicianName",
    "NameOfPhysiciansReadingStudy",
    "OperatorsName",
    "RequestingPhysician",
    "RequestingService",
    "StationName",
    "DeviceSerialNumber",
    "DetectorID",
    "GantryID",
    "CassetteID",
    "PlateID",
    "AdmissionID",
    "ResponsiblePerson",
    "ResponsibleOrganization",
    "ContentCreatorName",
    "ScheduledPerformingPhysicianName",
    "PerformedStationName",
    "CurrentPatientLocation",
    "PatientInstitutionResidence",
]

FREE_TEXT = [
    "StudyDescription",
    "SeriesDescription",
    "ImageComments",
    "PatientComments",
    "AdditionalPatientHistory",
    "ProtocolName",
    "RequestedProcedureDescription",
    "PerformedProcedureStepDescription",
    "ScheduledProcedureStepDescription",
    "AdmittingDiagnosesDescription",
    "DerivationDescription",
    "AcquisitionComments",
    "AcquisitionDeviceProcessingDescription",
    "AcquisitionProtocolDescription",
    "ContrastBolusAgent",
    "Allergies",
    "MedicalAlerts",
    "SpecialNeeds",
    "PatientState",
    "ReasonForStudy",
    "StudyComments",
    "RequestedProcedureComments",
    "ImagingServiceRequestComments",
    "CommentsOnThePerformedProcedureStep",
    "CommentsOnTheScheduledProcedureStep",
    "VisitComments",
    "DischargeDiagnosisDescription",
    "IdentifyingComments",
    "FrameComments",
    "InterpretationText",
    "ResultsComments",
]

UNLISTED_TEXT = [
    "ManufacturerModelName",
    "SoftwareVersions",
    "SequenceName",
    "ReceiveCoilName",
    "BodyPartExamined",
]

UIDS = [
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "InstanceCreatorUID",
    "DeviceUID",
    "ConcatenationUID",
]
DATES = [
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "ContentDate",
    "InstanceCreationDate",
    "PatientBirthDate",
    "LastMenstrualDate",
    "AcquisitionDateTime",
]
TIMES = [
    "StudyTime",
    "SeriesTime",
    "AcquisitionTime",
    "ContentTime",
    "PatientBirthTime",
    "InstanceCreationTime",
]

NESTED = [
    "RequestAttributesSequence.RequestedProcedureID",
    "RequestAttributesSequence.ScheduledProcedureStepID",
    "RequestAttributesSequence.ScheduledProcedureStepDescription",
    "RequestAttributesSequence.AccessionNumber",
    "RequestAttributesSequence.ScheduledProtocolCodeSequence.CodeMeaning",
    "OtherPatientIDsSequence.PatientID",
    "OtherPatientIDsSequence.IssuerOfPatientID",
    "ReferencedStudySequence.ReferencedSOPInstanceUID",
    "ReferencedPerformedProcedureStepSequence.ReferencedSOPInstanceUID",
    "SourceImageSequence.ReferencedSOPInstanceUID",
    "SourceImageSequence.PurposeOfReferenceCodeSequence.CodeMeaning",
    "OperatorIdentificationSequence.PersonIdentificationCodeSequence.LongCodeValue",
    "OperatorIdentificationSequence.PersonAddress",
    "OperatorIdentificationSequence.InstitutionName",
    "MRImagingModifierSequence.PatientName",
    "MRImagingModifierSequence.AcquisitionComments",
    "MRTimingAndRelatedParametersSequence.StudyDate",
    "MRTimingAndRelatedParametersSequence.ContentDate",
    "MREchoSequence.MRImagingModifierSequence.PatientComments",
    "MREchoSequence.MRImagingModifierSequence.PatientBirthDate",
    "MREchoSequence.MRImagingModifierSequence.MREchoSequence.DeviceSerialNumber",
]

STRUCTURED = [
    "ContentSequence.TextValue",
    "ContentSequence.PersonName",
    "ContentSequence.ContentSequence.TextValue",
    "GraphicAnnotationSequence.TextObjectSequence.UnformattedTextValue",
    "GraphicAnnotationSequence.GraphicLayer",
    "GraphicLayerSequence.GraphicLayerDescription",
    "StructureSetROISequence.ROIName",
    "RTROIObservationsSequence.ROIObservationLabel",
]

OVERLAYS = [
    (0x60000022, "LO"), (0x60001500, "LO"), (0x60003000, "OW"), (0x60004000, "LT"), (0x60023000, "OB"),
    (0x50000022, "LO"), (0x50003000, "OW"),
]  # fmt: skip

# Opaque bytes: an icon, a document, a signature, encrypted attributes.
OPAQUE = [
    "IconImageSequence.PixelData",
    "EncapsulatedDocument",
    "DigitalSignaturesSequence.Signature",
    "DigitalSignaturesSequence.CertificateOfSigner",
    "EncryptedAttributesSequence.EncryptedContent",
]

OTHER = ["RetrieveAETitle", "RetrieveURL", "StorageMediaFileSetID"]

COUNTS = {
    "top-level identifiers": 45, "top-level free text": 31, "unlisted text": 5, "UIDs, dates, times": 21,
    "age over 89": 1, "nested": 21, "private": 11, "SR, graphics, RT": 8, "overlays and curves": 7,
    "icon, document, signature, encrypted": 5, "preamble, meta, padding": 7, "other": 4,
}  # fmt: skip
"""How many markers of each class the first file holds; 166 in all."""
