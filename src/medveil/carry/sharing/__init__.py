"""Sharing: the work of `medveil share` on files. The same words as functions: keygen, encode, grant, open, info.

film.png ──encode──> film.mvc                  for anyone to store
                     film.mvc.keys/alice.age   one a person: what alice may read; delete it to withdraw
film.mvc + alice's identity ──open──> film.png

people      whose public keys were given, and which level each of them gets
codecs      the codec that a plan or a code names, and what stands beside its settings
scheme      how to encode, checked before an image is touched; one image becomes a code and key files
stored      a code and its key files on disk: written together, read with suspicion
encoding    one image       whole_folder    many of them
granting    opening         telling (info)
leaking     what an obfuscated code gives away at once       auditing   attacks on codes of one's own
"""

from medveil.carry.sharing.auditing import Audited, AuditPlan, audit
from medveil.carry.sharing.encoding import Encoded, encode
from medveil.carry.sharing.granting import Granted, grant
from medveil.carry.sharing.opening import Opened, open_code
from medveil.carry.sharing.people import NewIdentity, keygen
from medveil.carry.sharing.scheme import Plan
from medveil.carry.sharing.telling import Info, info
from medveil.carry.sharing.whole_folder import EncodedFolder, encode_folder

__all__ = [
    "AuditPlan",
    "Audited",
    "Encoded",
    "EncodedFolder",
    "Granted",
    "Info",
    "NewIdentity",
    "Opened",
    "Plan",
    "audit",
    "encode",
    "encode_folder",
    "grant",
    "info",
    "keygen",
    "open_code",
]
