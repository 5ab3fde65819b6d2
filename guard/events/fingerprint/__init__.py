"""Fingerprints: what a gateway may say about a prompt without sending it. Reference code for gateways, and a definition for others.

    keys = KeyRing(HashKey("k1", secret))
    fields = fingerprint(request, reply, keys)
    event |= fields.known()

Pure functions: no clock, no store, no log. Text is read, hashed and forgotten; it is in no result, error or repr.
"""

from guard.events.fingerprint.fields import ContentFields, fingerprint, fingerprints
from guard.events.fingerprint.keys import KeyRing
from guard.events.fingerprint.streamed import StreamedReply
from guard.events.hashing import HashKey

__all__ = ["ContentFields", "HashKey", "KeyRing", "StreamedReply", "fingerprint", "fingerprints"]
