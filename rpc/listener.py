"""The end of listening, at which nobody who got a connection is turned away."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct

_SO_ATTACH_FILTER = 26  # of Linux; Python has no name for it
_FLAGS, _SYN = 13, 0x02  # the byte of a TCP header, and the bit in it that asks for a new connection
_ALL = 0xFFFF

# For the kernel's packet filter: (operation, jump if so, jump if not, operand).
_NO_NEW_ONES = (
    (0x30, 0, 0, _FLAGS),  # load the byte
    (0x45, 0, 1, _SYN),  # is the bit set?
    (0x06, 0, 0, 0),  # then take nothing of the segment
    (0x06, 0, 0, _ALL),
)


def stop_arrivals(listening: int) -> None:
    """Have the kernel begin no new connection to a listening socket, given by its file descriptor.

    Those that it has begun can still be accepted. A socket that is closed while the kernel goes on
    making connections takes those with it that were made and not accepted: their callers, who had
    every reason to send a request, would see it fail. Who comes later gets no answer, asks again
    after a second, and is then told that nobody listens. Where the kernel has no such filter this does
    nothing, and a caller who comes at the last moment may meet what is described here.
    """
    code = b"".join(struct.pack("HBBI", *operation) for operation in _NO_NEW_ONES)
    kept = ctypes.create_string_buffer(code)
    program = struct.pack("HP", len(_NO_NEW_ONES), ctypes.addressof(kept))
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(listening)) as same:
        same.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
