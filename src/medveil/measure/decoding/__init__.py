"""Decoding: how far an attack on codes got, held against what the codes hide.

Decoded (a claim) + CodePair (the truth) ──> Joined ──┬─ separation   AUC of true against decoy
                                                      ├─ support      true components found, sites solved
                                                      ├─ ambiguity    bits of H(support | public) that are left
                                                      └─ pictures     PSNR, SSIM, MS-SSIM (ms_ssim)
people      one figure a film becomes an Estimate over people
tradeoff    complexity, leakage and utility of a code, with bounds
sealed      whether sealed bytes tell of what they hide
verdict     what one may conclude        assess      all of it, for one attack and for several
"""
