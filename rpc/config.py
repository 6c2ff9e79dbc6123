"""The settings: one table, read once from the environment and handed down."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import marshmallow
from environs import Env, EnvError

MIB = 1024 * 1024
PREFIX = "CORE_RPC_"


class BadSetting(Exception):
    """A setting has a value that cannot be used; the message names it."""


def _setting(
    default: Any,
    help: str,
    *,
    least: float | None = None,
    most: float | None = None,
    among: tuple[str, ...] | None = None,
    secret: bool = False,
) -> Any:
    has_bounds = least is not None or most is not None
    checks: list[Any] = [marshmallow.validate.Range(min=least, max=most)] if has_bounds else []
    checks += [] if among is None else [marshmallow.validate.OneOf(among)]
    return field(default=default, repr=not secret, metadata={"help": help, "checks": checks})


@dataclass(frozen=True)
class Config:
    """A row a setting: CORE_RPC_<NAME IN CAPITALS>, its default, and what it is for."""

    database: str = _setting("sqlite:///core-rpc.db", "where the data is: sqlite:///path")
    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8080, "port to listen on; 0 takes a free one", least=0)
    clock: datetime | None = _setting(None, "stops the clock at this instant, for tests")
    url: str = _setting("http://127.0.0.1:8080/rpc", "for callers: the server's endpoint")
    token: str = _setting("", "for callers: the token to show", secret=True)
    max_body: int = _setting(MIB, "bytes of a request's body", least=1)
    max_reply: int = _setting(10 * MIB, "bytes of a reply", least=1000)
    max_batch: int = _setting(1000, "entries of a batch", least=1)
    max_depth: int = _setting(64, "levels of nesting in a request", least=1)
    max_values: int = _setting(20_000, "JSON values in a request", least=1)
    max_number: int = _setting(32, "characters of a number in a request", least=1)
    body_seconds: float = _setting(10.0, "time to send a body", least=0.01)
    header_seconds: float = _setting(
        20.0, "time to send a header; a connection without a request is closed after it", least=0.01
    )
    reply_seconds: float = _setting(30.0, "time to take a reply before the connection is cut", least=0.01)
    call_seconds: float = _setting(
        30.0, "time after which a call that has not begun is given up, and a slow read ended", least=0.01
    )
    max_in_flight: int = _setting(64, "requests in the server before others count as waiting", least=1)
    max_waiting: int = _setting(256, "requests that may wait beside them; who comes beyond gets 503", least=0)
    wait_seconds: float = _setting(
        0.5, "time that a request of 16 KiB or more waits for its turn before it gets 503", least=0
    )
    max_connections: int = _setting(10_000, "open connections", least=1)
    max_unsent: int = _setting(
        256 * MIB, "bytes of replies that callers have yet to take; beyond, the slowest are cut", least=1000
    )
    readers: int = _setting(4, "threads for slow reads", least=1)
    rate_limit: float = _setting(0.0, "calls a second for each token; 0: no limit", least=0)
    rate_burst: int = _setting(100, "calls that a token may make at once, where there is a limit", least=1)
    free_guesses: int = _setting(10, "wrong tokens a minute from one address before it is slowed", least=0)
    guess_seconds: float = _setting(1.0, "how long the answer to a further wrong token is held", least=0)
    audit_days: int = _setting(
        0,
        "days for which the audit and past imports are kept; older ones are removed; 0: for ever",
        least=0,
        most=36_500,
    )
    drain_seconds: float = _setting(2.0, "how long a stopping server still accepts", least=0)
    stop_seconds: float = _setting(15.0, "how long a stopping server waits for what runs", least=0)

    log_level: str = _setting(
        "info",
        "lines of the log below this level are left out: debug, info, warning or error",
        among=("debug", "info", "warning", "error"),
    )
    log_format: str = _setting("json", "form of the log's lines: json or text", among=("json", "text"))
    log_calls: str = _setting(
        "off",
        "which answered requests have a line in the log: off, all, slow or sampled",
        among=("off", "all", "slow", "sampled"),
    )
    log_slow_ms: float = _setting(500.0, "milliseconds from which a request is slow", least=0)
    log_share: float = _setting(0.01, "share of the requests that are sampled, 0 to 1", least=0)
    log_refusals: int = _setting(
        5, "lines a second about malformed and refused requests; the rest is counted", least=0
    )

    @classmethod
    def from_env(cls, **options: Any) -> Config:
        """The settings of the environment, options of the command line before them.

        BadSetting names the first that is wrong.
        """
        env = Env()
        read: dict[str, Any] = {
            "str": env.str,
            "int": env.int,
            "float": env.float,
            "datetime | None": env.datetime,
        }
        values: dict[str, Any] = {}
        for setting in fields(cls):
            if options.get(setting.name) is not None:
                values[setting.name] = options[setting.name]
                continue
            try:
                with env.prefixed(PREFIX):
                    values[setting.name] = read[str(setting.type)](
                        setting.name.upper(), setting.default, validate=setting.metadata["checks"]
                    )
            except EnvError as error:
                raise BadSetting(str(error)) from None
        if values["clock"] is not None and values["clock"].tzinfo is None:
            values["clock"] = values["clock"].replace(tzinfo=UTC)
        return cls(**values)
