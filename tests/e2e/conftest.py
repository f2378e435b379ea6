"""One demonstrated registry for all tests here that do not bring their own."""

from tests.support.command_line import command_line
from tests.support.demonstration import another_chain, registry, unchanged

__all__ = ["another_chain", "command_line", "registry", "unchanged"]
