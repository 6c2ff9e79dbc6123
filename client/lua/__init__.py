"""Lua for callers: core.lua and its helpers, and the sandbox that `core-rpc script` runs scripts in."""
