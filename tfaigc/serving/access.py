"""Who may ask a server, how often, and whether others can listen."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from tfaigc.errors import ServingError
from tfaigc.serving.keys import Keys
from tfaigc.serving.rates import RateLimit


@dataclass(frozen=True)
class Access:
    """Who may ask, and how.

    Attributes:
        keys: The tokens of which one must be sent; None for none.
        rate: How often each client may ask; None for any.
        certificate: The chain of certificates for TLS, PEM; None for no TLS.
        private_key: The key of its first, PEM.

    Raises:
        ServingError: Certificate and key do not fit, or one is missing.
    """

    keys: Keys | None = None
    rate: RateLimit | None = None
    certificate: Path | None = None
    private_key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.private_key is None):
            raise ServingError(
                "TLS must have a certificate and its private key. Received: one of them. Pass both."
            )
        if self.certificate is not None:
            try:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                # Without a password of some kind, OpenSSL would ask for one at the terminal.
                context.load_cert_chain(self.certificate, self.private_key, password="")
            except (OSError, ssl.SSLError) as error:
                raise ServingError(
                    "Certificate and private key must be PEM files that fit each other. "
                    f"Received: {self.certificate}, {self.private_key} ({error}). "
                    "Pass others."
                ) from error

    @property
    def has_tls(self) -> bool:
        """Whether nobody can listen."""
        return self.certificate is not None

    def admit(self, authorization: str, address: str) -> str:
        """Lets a client in, or not.

        Args:
            authorization: The header of that name.
            address: Where the request comes from.

        Returns:
            A name for the client.

        Raises:
            RequestError: The token is wrong, or the client asks too often.
        """
        client = self.keys.check(authorization) if self.keys else address
        if self.rate:
            self.rate.take(client)
        return client
