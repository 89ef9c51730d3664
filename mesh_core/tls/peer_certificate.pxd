"""Whether a peer whose chain is valid is one that we speak with, and what it is called.

Worker thread, no GIL.
"""

from libc.stdint cimport uint8_t, uint16_t
from mesh_core.tls.context cimport TlsContextC
from mesh_core.tls.openssl cimport X509

cdef enum:
    IDENTITY_BYTES = 2048      # the longest SPIFFE ID

cdef enum PeerRefusal:
    PEER_ACCEPTED
    PEER_UNREADABLE            # our reader finds no certificate in it, or memory is exhausted
    PEER_EXPIRED               # or not yet valid
    PEER_WRONG_USAGE           # may not be used for this role
    PEER_NOT_A_LEAF            # SPIFFE: the certificate of a CA
    PEER_NOT_ONE_URI           # SPIFFE: none, or several
    PEER_NO_SPIFFE_ID          # SPIFFE: its URI is none
    PEER_FOREIGN_TRUST_DOMAIN
    PEER_UNEXPECTED_NAME
    PEER_REFUSALS


# Judge by the context's rules. `identity` has room for IDENTITY_BYTES and gets the first URI name, or else the first
# DNS name; its size goes to `identity_size`, 0 when there is none or it is too long.
cdef PeerRefusal peer_judge(
    const TlsContextC* context, X509* certificate, uint8_t* identity, uint16_t* identity_size
) noexcept nogil

# A refusal in words, "" for PEER_ACCEPTED.
cdef const char* peer_refusal_text(PeerRefusal refusal) noexcept nogil
