# SPDX-License-Identifier: Apache-2.0
"""What a user or their machine must change, as an exception that is not a ValueError or OSError anyway."""


class UserError(RuntimeError):
    """Something outside the program is missing or failed (a library, a GPU, a process); the message says what to do."""
