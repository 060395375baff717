"""The workbench as the pages use it: in the daemon itself, by the same steps as the command line."""

from dataclasses import dataclass
from pathlib import Path

from adapter.daemon import amending, workbench
from adapter.daemon.amending import Author
from adapter.daemon.workbench import Desk, Order, carry_out
from adapter.errors import ConfigError, RejectedError
from adapter.mapping.amend import SiteLine, line_of
from adapter.screening.rulebook import Rulebook
from adapter.store.proposals import Proposal


@dataclass(frozen=True, slots=True)
class PageBench:
    """`folder` is the operator's, where one is named."""

    desk: Desk
    folder: Path | None

    def rules(self) -> Rulebook:
        return self.desk.rules() or self.desk.load()

    def check(self, site: str, line: SiteLine) -> None:
        """Raises RejectedError for a line that could not be written."""
        self._plan(site, line, Author("", self.desk.clock()))

    def carry_out(self, proposal: Proposal, approver: str, role: str) -> int:
        """How many messages are read again. Raises RejectedError."""
        author = Author(f"{proposal.by}, approved by {approver}", self.desk.clock(), proposal.reason)
        line = line_of(proposal.line)
        order = Order(proposal.site, line, author, role, approver)
        planned = self._plan(proposal.site, line, author)
        done = carry_out(
            order, planned, self.desk.load, lambda said: workbench.COMMANDS[str(said["command"])](self.desk, said)
        )
        return int(done["messages"])

    def _plan(self, site: str, line: SiteLine, author: Author) -> amending.Plan:
        try:
            return amending.plan(self.folder, self.rules(), site, line, author)
        except ConfigError as error:
            raise RejectedError(str(error)) from None
