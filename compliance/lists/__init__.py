"""Importers of sanctions and watch lists, each turning one published format into list entries."""

from compliance.lists.entry import Alias, DateRange, EntryKind, ListEntry, ListMalformed, ScreeningList
from compliance.lists.ofac import read_ofac
from compliance.lists.signed import demonstration_list, read_signed
from compliance.lists.un import read_un

__all__ = [
    "Alias",
    "DateRange",
    "EntryKind",
    "ListEntry",
    "ListMalformed",
    "ScreeningList",
    "demonstration_list",
    "read_ofac",
    "read_signed",
    "read_un",
]
