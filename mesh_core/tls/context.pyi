from OpenSSL.SSL import Context

class TlsContext:
    def __init__(
        self,
        context: Context,
        *,
        server: bool,
        alternatives: tuple[tuple[tuple[str, ...], Context], ...] = (),
        alpn: tuple[str, ...] = (),
        verify_peer: bool,
        require_peer_certificate: bool,
        trust_domains: tuple[str, ...] = (),
        uris: tuple[str, ...] = (),
        dns_names: tuple[str, ...] = (),
        server_name: str | None = None,
        resume: bool = True,
        handshake_timeout_ms: int = 10000,
    ) -> None: ...
