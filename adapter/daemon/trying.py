"""`adapter mapping add --try`: what a line would change, found by telling again what it concerns; nothing is kept."""

from dataclasses import replace
from datetime import datetime

from adapter.daemon.opening import open_store
from adapter.daemon.replaying import Report, Wish, difference
from adapter.daemon.rules import load_rules
from adapter.daemon.workbench import Order, mended
from adapter.mapping.site import SiteMap
from adapter.settings import Settings
from adapter.store import again


def tried(settings: Settings, order: Order, amended: SiteMap) -> tuple[Report, dict[str, int]]:
    """What ends and is judged otherwise, and how many messages and findings are concerned. Works beside a running daemon.

    Told again is what came from the first message concerned on: what was said before stands.
    """
    since, concerned = _concerned(settings, order)
    if since is None:
        return Report(0, (), ()), concerned
    rules = load_rules(settings)
    other = replace(rules, sites={**rules.sites, order.site: amended}, digest=f"{rules.digest}+1")
    return difference(settings, Wish(since, rulebook=other)), concerned


def _concerned(settings: Settings, order: Order) -> tuple[datetime | None, dict[str, int]]:
    found: dict[int, int] = {}
    database = open_store(settings, read_only=True)
    try:
        with database.read() as conn:
            for one in mended(order.site, order.line):
                after = 0
                while True:
                    run, after = again.affected(conn, one, after)
                    for message, findings in run:
                        found[message] = found.get(message, 0) + findings
                    if not after:
                        break
            since = again.received(conn, min(found)) if found else None
    finally:
        database.close()
    return since, {"messages": len(found), "findings": sum(found.values())}
