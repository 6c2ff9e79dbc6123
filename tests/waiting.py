"""How long tests wait for what is to come."""

from __future__ import annotations

FAR = 120.0  # seconds after which a test gives up: only what never comes takes so long, on any machine
