"""Faults: what becomes of acknowledged writes when processes are killed, power is cut, or disks fail."""
