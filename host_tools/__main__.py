"""`python -m host_tools` is the command `beckon`."""

import sys

from host_tools.cli.app import main

sys.exit(main())
