"""Locate: where the head lies in an image, as one affine from MNI millimetres to the patient's, or a refusal.

head        the order of the means                  location    what is found
ways        MR and PET, CT, a given brain           starts, register   from many first guesses to a fit
confidence  signals, rules, refusals                hints, carried     what is given, what a session brings along
grid, template, skull, speckle                      the ground all of it stands on
"""
