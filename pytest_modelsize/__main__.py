"""``python -m pytest_modelsize``: the command ``modelsize``."""

import sys

from pytest_modelsize.cli import main

sys.exit(main())
