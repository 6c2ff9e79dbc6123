"""OneRoster CSV sets, in and out; README.md says what becomes of each column."""

from models.roster.exporter import export_oneroster
from models.roster.importer import import_oneroster
from models.roster.options import Dates, Match, MaxChanges, Missing, Options
from models.roster.reader import NotARoster
from models.roster.report import Changes, Counts, Finding, Report

__all__ = [
    "Changes",
    "Counts",
    "Dates",
    "Finding",
    "Match",
    "MaxChanges",
    "Missing",
    "NotARoster",
    "Options",
    "Report",
    "export_oneroster",
    "import_oneroster",
]
