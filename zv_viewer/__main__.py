"""``python -m zv_viewer`` is ``zv-view``."""

import sys

from zv_viewer.cli import main

sys.exit(main())
