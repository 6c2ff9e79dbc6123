"""What must be so before a server listens where others can reach it."""

from __future__ import annotations

import ipaddress
import logging
import socket

from models import files
from models.database import path_of
from models.tokens import Token

log = logging.getLogger(__name__)


class Exposed(Exception):
    """The server would stand open, or closed to everybody; says what to do."""


def check(host: str, url: str) -> None:
    """Exposed: others can reach the address, and no token would let them in, or other users of this
    machine can read or write the database, which must be connected.

    Where only this machine reaches the server, the second is but a warning.
    """
    remedies = " && ".join(files.remedies(path_of(url)))
    if is_loopback(host):
        if remedies:
            log.warning("other users of this machine can read or change the database; run: %s", remedies)
        return
    if remedies:
        raise Exposed(
            f"other users of this machine can read or change the database, so it is not served at {host};"
            f" run: {remedies}"
        )
    if not Token.any_usable():
        raise Exposed(
            f"no token in the database lets anybody in, so it is not served at {host};"
            " run: core-rpc token create --name NAME --scope read|write|admin"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on an address or name."""
    try:
        found = socket.getaddrinfo(host or None, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        return False
    return all(_is_loopback(str(address[0])) for *_, address in found)


def _is_loopback(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback
