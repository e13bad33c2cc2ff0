"""``python -m mid_core`` is ``mid``."""

import sys

from mid_core.commands.cli import main

sys.exit(main())
