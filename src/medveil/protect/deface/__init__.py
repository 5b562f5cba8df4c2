"""Deface: find the head, then remove what shows who it is, and measure that it is gone.

Ways of defacing, one a file, each a few lines that say which voxels change:
    erase shear strip replace scramble         like_pydeface like_mri_deface like_fsl_deface like_maskface like_anonymi

    method      what all of them share: locate, protect, patch, unite a series, take stock, prove
    site        a located head as a method sees it      outline, front, body   its head, its face from before, its table
    parts       the volumes of a face in MNI mm         stock                    what is gone, measured
    wrapped     a face that left the view and came in again at another edge
    motion      where the head was in every volume      presence                 whether a face is there at all

Another face (replace, scramble): faces, cohort_face, graft, shares, matching, layers.
"""
