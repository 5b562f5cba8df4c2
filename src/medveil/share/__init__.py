"""Share: let only chosen people read an image, each at the quality they were granted.

image ──codec──> levels ──seal──> a code that anyone may store; keys that only chosen people can use ──open──> image

    base        the values that flow here: Layered (an image as levels), SparseLevel (a level of a sparse code)
    codec/      Image <-> levels: codec.jpeg2000 (up to the exact bits), codec.primis (learned sparse codes)
    identities  whose keys can be used: age and SSH
    keys        one key a level, wrapped for recipients by age
    seal        levels above the public preview under AEAD: the mode that hides
    obfuscate   the PRIMIS paper's mechanism, true components among decoys: the mode that does not hide, and says so
    leak        what an obfuscated code gives away at first sight
    container   a code as bytes (docs/formats/code.md)
    models/     networks that come with medveil
    yardstick   what JPEG and JPEG 2000 need for the same PSNR
"""
