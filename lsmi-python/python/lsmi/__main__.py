"""``python -m lsmi`` is the command ``lsmi``."""

import sys

from ._main import main

sys.exit(main())
