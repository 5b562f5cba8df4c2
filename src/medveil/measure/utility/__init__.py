"""What images are still good for: the same work done with the images before a change and after it.

`before_after` holds both, `classification` and `segmentation` train and test across them, `radiomics` compares what
is measured in them. The change may be a code, noise, defacing, a watermark: nothing here knows which.
"""
