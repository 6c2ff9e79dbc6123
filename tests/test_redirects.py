"""The client shows its token to the server it was given, and to no other."""

from __future__ import annotations

import socket
import threading

import pytest

from client import Client, TransportError


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_token_is_not_taken_to_where_a_redirect_points(status):
    with socket.create_server(("127.0.0.1", 0)) as elsewhere, socket.create_server(("127.0.0.1", 0)) as here:
        elsewhere.setblocking(False)
        place = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/rpc"

        def redirect() -> None:
            wire, _ = here.accept()
            with wire:
                wire.recv(65536)
                head = f"HTTP/1.1 {status} Moved\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"
                wire.sendall(head.encode())

        answering = threading.Thread(target=redirect)
        answering.start()
        with pytest.raises(TransportError):
            Client(f"http://127.0.0.1:{here.getsockname()[1]}", "crpc_secret").list_active_programs()
        answering.join()

        with pytest.raises(BlockingIOError):
            elsewhere.accept()
