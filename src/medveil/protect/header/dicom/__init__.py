"""DICOM headers: each element stays only for a reason that can be printed; the rest goes.

    dataset ──policy──> refused? ──clean──> new dataset ──marks──> what was done, in the file ──write──> bytes
              classes.py            clean.py             marks.py                          write.py

`rules.py` holds table E.1-1 of PS3.15 and its options, `allowed.py` and `private.py` what may stay although no
table names it, `values.py` how one value is judged.
"""
