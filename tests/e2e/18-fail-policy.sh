#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `option fail-policy` decides when the tables of the running rules are damaged, and only then: not
# when an apply fails, not after `down`.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

ping_passes() { in_left ping -q -c 1 -W 1 $right_inet >/dev/null; }

# rules POLICY: everything passes, so that what is dropped is dropped by the policy
rules() {
    printf 'interface fw0\noption fail-policy %s\ningress default pass {\n}\n' "$1"
}

# damage: the magic number of all tables becomes 0. They are memory maps with one huge element, which
# bpftool would have to write wholly, so it is done by mapping them.
damage() {
    in_right /usr/bin/python3 - "$pins/v1" <<'PYTHON'
import ctypes
import glob
import mmap
import os
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
BPF, OBJ_GET = {"x86_64": 321, "aarch64": 280}[os.uname().machine], 7
damaged = 0
for pin in glob.glob(sys.argv[1] + "/images-*"):
    path = ctypes.create_string_buffer(pin.encode())
    attributes = ctypes.create_string_buffer(struct.pack("QII", ctypes.addressof(path), 0, 0), 120)
    outer = libc.syscall(BPF, OBJ_GET, attributes, 120)
    for slot in 0, 1:
        key, value = ctypes.c_uint32(slot), ctypes.c_uint32(0)
        attributes = ctypes.create_string_buffer(
            struct.pack("IIQQ", outer, 0, ctypes.addressof(key), ctypes.addressof(value)), 120)
        if libc.syscall(BPF, 1, attributes, 120):  # BPF_MAP_LOOKUP_ELEM
            continue
        attributes = ctypes.create_string_buffer(struct.pack("III", value.value, 0, 0), 120)
        inner = libc.syscall(BPF, 14, attributes, 120)  # BPF_MAP_GET_FD_BY_ID
        memory = mmap.mmap(inner, 4096)
        memory[0:8] = bytes(8)
        damaged += 1
sys.exit(not damaged)
PYTHON
}

for policy in pass drop; do
    rules $policy >"$work/fw.conf"
    fw -q apply "$work/fw.conf" || fail "apply"
    ping_passes || fail "$policy: the rules do not let the ping pass"

    echo 'ingress default drop { oops }' >"$work/wrong.conf"
    fw -q apply "$work/wrong.conf" 2>/dev/null && fail "a wrong file was applied"
    ping_passes || fail "$policy: an apply that failed changed what passes"

    damage || fail "there are no tables to damage"
    case $policy in
    pass) ping_passes || fail "pass: dropped with damaged tables" ;;
    drop) ping_passes && fail "drop: passed with damaged tables" ;;
    esac
    [ "$(stat_of "reasons('ingress')")" -ge 1 ] || fail "$policy: no reason counted: $(fw stats)"

    fw -q apply "$work/fw.conf" || fail "apply over damaged tables"
    ping_passes || fail "$policy: a new apply does not mend it"
    fw -q down || fail "down"
    ping_passes || fail "$policy: dropped after down"
done
