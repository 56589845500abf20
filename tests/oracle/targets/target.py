# SPDX-License-Identifier: Apache-2.0
"""A target in Python; see eye/target.c."""
import os
import signal

os.write(3, b"r")
while True:
    signal.pause()
