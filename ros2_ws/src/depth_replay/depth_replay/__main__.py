# SPDX-License-Identifier: Apache-2.0
"""`python -m depth_replay`."""

import sys

from .cli import main

sys.exit(main())
