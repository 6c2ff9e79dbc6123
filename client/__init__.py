"""A thin client for core-rpc. `Client(url, token)` has one method for each documented function."""

from client.client import Client
from client.errors import ClientError, RpcError, TransportError
from client.protocol import external_id

__all__ = ["Client", "ClientError", "RpcError", "TransportError", "external_id"]
