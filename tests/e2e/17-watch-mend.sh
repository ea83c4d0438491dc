#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `fwctl watch` puts back what somebody took off, makes do where one interface cannot be filtered,
# and makes no generation after generation while it cannot.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

cat >"$work/fw.conf" <<'END'
interface "fw*"
ingress default pass {
    drop on fw0 udp to port 9  label zero
}
END
generation() { fw stats --json | /usr/bin/python3 -c "import json, sys
print(json.load(sys.stdin)['generation'])"; }
filtered() { in_right ip -o link show dev "$1" | grep -q 'prog/xdp'; }
veth() { ip -n "$right" link add "$1" type veth peer name "p$1" && ip -n "$right" link set "$1" up; }

# An interface of a type that is neither Ethernet nor IP, under a pattern: told and left out.
cat >"$work/tun.py" <<'END'
import fcntl, os, struct, time
fd = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack('16sH', b'fwgre', 1 | 0x1000))
fcntl.ioctl(fd, 0x400454cd, 778)
print('ready', flush=True)
time.sleep(600)
END
start_right /usr/bin/python3 "$work/tun.py" >"$work/tun" 2>&1
tun() { grep -q ready "$work/tun"; }
if wait_for 5 tun; then
    fw apply "$work/fw.conf" >"$work/output" 2>&1 || fail "one link of another type stops all: $(cat "$work/output")"
    grep -q "fwgre" "$work/output" || fail "fwgre is not told of: $(cat "$work/output")"
    printf 'interface fwgre\ningress default pass {\n}\n' >"$work/named.conf"
    fw -q apply "$work/named.conf" 2>/dev/null && fail "named, it is no error"
else
    fw -q apply "$work/fw.conf" || fail "apply"
fi
filtered fw0 || fail "fw0 is not filtered"

start_right "$fwctl" --pin-dir "$pins" watch >"$work/watch" 2>&1
watch=$started
sleep 1
number=$(generation)

# Taken off by another tool.
in_right ip link set dev fw0 xdp off
filtered fw0 && fail "XDP is still there"
wait_for 10 filtered fw0 || fail "watch does not put it back: $(cat "$work/watch")"

# Others come, though one cannot be filtered.
veth fw1
wait_for 10 filtered fw1 || fail "fw1 is not filtered: $(cat "$work/watch")"
sleep 5
after=$(generation)
[ $((after - number)) -le 2 ] || fail "$((after - number)) generations for nothing: $(cat "$work/watch")"

# One that refuses, because somebody else's program is on it, is told of once.
ip -n "$right" link add x9 type veth peer name px9
in_right ip link set dev x9 xdpdrv object "$root/build/tests/e2e/other.bpf.o" section xdp ||
    fail "the other program"
ip -n "$right" link set x9 name fw9
veth fw5
wait_for 10 filtered fw5 || fail "fw5 is not filtered beside one that refuses: $(cat "$work/watch")"
sleep 1
number=$(generation)
sleep 7
after=$(generation)
[ "$after" = "$number" ] || fail "generations for nothing: $(cat "$work/watch")"
[ "$(grep -c 'on fw9' "$work/watch")" -le 2 ] || fail "told again and again: $(cat "$work/watch")"
grep -q 'on fw9' "$work/watch" || fail "not told of fw9: $(cat "$work/watch")"
in_right ip link set dev fw9 xdpdrv off

# Names change places: `on fw0` means another interface now.
ip -n "$right" link set fw0 down
ip -n "$right" link set fw1 down
ip -n "$right" link set fw0 name t0
ip -n "$right" link set fw1 name fw0
ip -n "$right" link set t0 name fw1
renamed() { [ "$(generation)" != "$after" ]; }
wait_for 10 renamed || fail "watch does not see that names changed places"
kill -TERM "$watch" || fail "watch ended by itself"
wait "$watch" || fail "watch ended with $?"
exit 0
