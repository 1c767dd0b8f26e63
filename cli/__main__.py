"""``python -m shortcut_audit_cli`` is ``audit``."""

from __future__ import annotations

from .main import main

if __name__ == "__main__":  # a spawned worker imports this file again
    main()
