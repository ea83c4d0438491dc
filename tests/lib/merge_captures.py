#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""merge_captures.py OUTPUT COUNT CAPTURE...: the first COUNT Ethernet frames of each, in one file.

Captures that cannot be read, or only in part, give what can be read of them.
"""

import sys

from scapy.error import Scapy_Exception
from scapy.utils import RawPcapReader, RawPcapWriter

with RawPcapWriter(sys.argv[1], linktype=1) as merged:
    merged.write_header(None)
    for path in sys.argv[3:]:
        try:
            capture = RawPcapReader(path)
            if getattr(capture, "linktype", None) != 1:
                continue
            for _, (data, _) in zip(range(int(sys.argv[2])), capture):
                if 14 <= len(data) < 3000:
                    merged.write(data)
            capture.close()
        except (Scapy_Exception, EOFError, OSError):
            continue
