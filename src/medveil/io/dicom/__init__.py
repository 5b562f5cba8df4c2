"""DICOM: series found in a folder, read as volumes, and their pixels put back."""
