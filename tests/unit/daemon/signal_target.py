"""A daemon with a fake application, run as a process of its own so that it can be sent real signals.

``python signal_target.py ROOT MODE``: passes are quick, last until told to stop (``slow``), or never end (``stuck``).
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from pathlib import Path

import structlog
from daemon_fakes import a_plan, an_app

from reconciler.clock import SystemClock
from reconciler.daemon.control import Inbox
from reconciler.daemon.daemon import Daemon
from reconciler.daemon.signals import SignalPump


def main() -> None:
    root, mode = Path(sys.argv[1]), sys.argv[2]
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    inbox = Inbox()
    with SignalPump(inbox.signal):
        grace = 0.3 if mode == "stuck" else 20.0
        app = an_app(root, a_plan("a"), a_plan("b"), clock=SystemClock(), grace_period=grace)
        if mode == "load":
            app.cycle.during = lambda _plan: time.sleep(0.01)
        elif mode == "slow":
            app.cycle.during = lambda _plan: app.cycle.stopped.wait(20) and None
        elif mode in ("stuck", "hang"):
            app.cycle.during = lambda _plan: threading.Event().wait(60) and None
        clean = Daemon(app, inbox=inbox, reload=lambda old: old).run()
    structlog.get_logger().info("totals", passes=len(app.cycle.passes), overlaps=app.cycle.overlaps)
    sys.exit(0 if clean else 1)


if __name__ == "__main__":
    main()
