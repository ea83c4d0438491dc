#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `syncookie` against a flood of spoofed SYNs: a real client still connects and moves data, in both
# families, through a VLAN, in native and generic XDP, with tcp_syncookies 1 and 2; nothing is kept
# for the spoofed ones; and without a flood the host sees its SYNs as they came.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
PATH=$PATH:/usr/sbin command -v ethtool >/dev/null || fail "there is no ethtool: make deps"
netns_start

in_left ethtool -K peer0 txvlan off || fail "ethtool"
in_right ethtool -K fw0 rxvlan off txvlan off || fail "ethtool"
ip -n "$right" route add default via $left_inet

# A VLAN on the same wire, where the kernel has them.
servers=("$right_inet" "$right_inet6")
if modprobe -q 8021q 2>/dev/null || ip -n "$left" link add link peer0 name probe type vlan id 9 2>/dev/null; then
    for side in left:peer0:1 right:fw0:2; do
        IFS=: read -r name link host <<<"$side"
        ip -n "${!name}" link add link "$link" name vlan5 type vlan id 5 || fail "vlan"
        link_start "${!name}" vlan5 "198.18.0.$host/24" "2001:db8:5::$host/64"
    done
    neighbours "$left" vlan5 198.18.0.2 2001:db8:5::2 "$(mac "$right" vlan5)"
    neighbours "$right" vlan5 198.18.0.1 2001:db8:5::1 "$(mac "$left" vlan5)"
    servers+=(198.18.0.2 2001:db8:5::2)
else
    echo "no VLAN devices in this kernel: only the program's test looks at tags"
fi
count=${#servers[@]}

# Sends back what it got, in the end. Few connections may wait.
cat >"$work/echo.py" <<'END'
import socket, sys, threading
def serve(connection):
    with connection:
        data = b"".join(iter(lambda: connection.recv(65536), b""))
        connection.sendall(data)
listener = socket.create_server(("::", 80), family=socket.AF_INET6, backlog=8, dualstack_ipv6=True)
open(sys.argv[1], "w").close()
while True:
    threading.Thread(target=serve, args=listener.accept()[:1], daemon=True).start()
END
# client.py ADDRESS: a megabyte there and back; prints the options that the kernels agreed on.
cat >"$work/client.py" <<'END'
import os, socket, sys
data = os.urandom(1 << 20)
with socket.create_connection((sys.argv[1], 80), timeout=30) as s:
    print(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5] & 7)
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    if b"".join(iter(lambda: s.recv(65536), b"")) != data:
        sys.exit("other data came back")
END
# SYNs from random addresses, 4000 a second, for two minutes at most.
cat >"$work/flood.py" <<'END'
import os, socket, struct, sys, time
target, source = (bytes.fromhex(mac.replace(":", "")) for mac in sys.argv[1:3])
def total(data):
    value = sum(struct.unpack(f"!{len(data) // 2}H", data))
    value = (value & 0xffff) + (value >> 16)
    return ~((value & 0xffff) + (value >> 16)) & 0xffff
def syn(inet6):
    ports = os.urandom(2)
    if inet6:
        ends = bytes.fromhex("20010db8ffff") + os.urandom(10) + socket.inet_pton(socket.AF_INET6, "2001:db8::2")
    else:
        ends = bytes([198, 51, 100]) + os.urandom(1) + bytes([192, 0, 2, 2])
    tcp = ports + b"\0\x50" + os.urandom(4) + bytes(4) + b"\x60\2\xfa\xf0" + bytes(4) + b"\2\4\5\xb4"
    check = total(ends + struct.pack("!HH", 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack("!H", check) + tcp[18:]
    if inet6:
        return target + source + b"\x86\xdd\x60\0\0\0" + struct.pack("!HBB", len(tcp), 6, 64) + ends + tcp
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + ends
    return target + source + b"\x08\0" + ip[:10] + struct.pack("!H", total(ip)) + ip[12:] + tcp
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("peer0", 0))
for _ in range(6000):
    for i in range(80):
        s.send(syn(i % 4 == 0))
    time.sleep(0.02)
END
start_right /usr/bin/python3 "$work/echo.py" "$work/listens"
wait_for 30 test -e "$work/listens" || fail "no listener"

rules() { # MODE AFTER
    cat >"$work/fw.conf" <<END
interface fw0 mode $1
option syncookie-after $2/s
ingress default drop {
    pass state established, related                label going
    pass tcp to port 80 keep state syncookie       label web
}
egress default drop { pass state established, related }
END
    fw -q apply "$work/fw.conf" || fail "$1: apply"
}
# What happened since: cookies OUTCOME, half_open (flows recorded).
mark() { fw stats --json >"$work/mark"; }
since() { # EXPRESSION on `s`
    fw stats --json | /usr/bin/python3 -c "import json, sys
print(*[(lambda s: $1)(s) for s in (json.load(sys.stdin), json.load(open('$work/mark')))], sep='-')"
}
cookies() { echo $(($(since "s['cookies']['$1']"))); }
half_open() { echo $(($(since "s['flows']['half_open']['recorded']"))); }
syncookies() { in_right sysctl -qw net.ipv4.tcp_syncookies="$1"; }
connects() { in_left /usr/bin/python3 "$work/client.py" "$1"; } # prints 7 with timestamps, SACK and scale
host_took() { in_right nstat -asz TcpExtSyncookiesRecv | awk '/SyncookiesRecv/ { print $2 }'; }
# shellcheck disable=SC2317 # called by wait_for
more_sent_than() { [ "$(cookies sent)" -gt "$1" ]; }

# A kernel without cookies: refused, and the program loads for other rules.
rules_of() { printf 'interface fw0 mode generic\ningress default pass {\n    pass tcp to port 80 %s label x\n}\n' "$1"; }
export FWCTL_TEST_NO_SYNCOOKIES=1
rules_of "" >"$work/plain.conf"
rules_of syncookie >"$work/cookie.conf"
fw -q apply "$work/plain.conf" || fail "without cookies: apply"
fw apply "$work/cookie.conf" >"$work/out" 2>&1 && fail "a kernel without cookies is not refused"
grep -q "cookie.conf:3: 'syncookie' needs a kernel from 6.0 on with CONFIG_SYN_COOKIES" "$work/out" || fail "$(cat "$work/out")"
fw add ingress pass tcp to port 81 syncookie 2>&1 | grep -q "'syncookie' needs a kernel" || fail "add is not refused"
[ "$(fw list | grep -c syncookie)" = 0 ] || fail "$(fw list)"
fw -q down
unset FWCTL_TEST_NO_SYNCOOKIES

# XDP cannot send on a veth by itself: said, and SYNs are left to the host.
syncookies 2
rules auto 0
fw apply "$work/fw.conf" 2>&1 | grep -q "warning: fw0: SYNs are not answered here" || fail "apply does not warn"
mark
fw status | grep -q "^warning: fw0: SYNs are not answered here" || fail "status does not warn: $(fw status)"
[ "$(connects $right_inet)" = 7 ] || fail "auto: not as without syncookie"
[ "$(cookies declined)-$(cookies sent)" = 1-0 ] || fail "auto: $(fw stats)"
# With a program at the other end it can.
in_left ip link set peer0 xdp obj "$root/build/tests/e2e/other.bpf.o" sec xdp || fail "the other end"

# No flood, no change: the host answers, with all that both know, whatever tcp_syncookies says.
rules native 1000
fw status | grep -q "^warning: fw0: 'syncookie' answers SYNs here, which are lost if" ||
    fail "status does not say what 'mode native' is trusted with: $(fw status)"
mark
for mode in 1 2; do
    syncookies $mode
    for address in "${servers[@]}"; do
        [ "$(connects "$address")" = 7 ] || fail "$mode: $address: not as without syncookie"
    done
done
[ "$(cookies passed)-$(cookies sent)-$(cookies right)" = $((2 * count))-0-0 ] || fail "no flood: $(fw stats)"

for mode in native generic; do
    # Each SYN is answered from XDP, and the host knows its cookies again.
    syncookies 2
    rules $mode 0
    mark
    taken=$(host_took)
    for address in "${servers[@]}"; do
        [ "$(connects "$address")" = 0 ] || fail "$mode: $address"
    done
    [ "$(cookies sent)-$(cookies right)-$(cookies wrong)" = "$count-$count-0" ] || fail "$mode: $(fw stats)"
    [ $(($(host_took) - taken)) = "$count" ] || fail "$mode: the host took $(($(host_took) - taken)) cookies"
    [ "$(half_open)" = "$count" ] || fail "$mode: flows: $(fw flows count)"

    for sysctl in 1 2; do
        syncookies $sysctl
        rules $mode 20
        mark
        start_left /usr/bin/python3 "$work/flood.py" "$(mac "$right" fw0)" "$(mac "$left" peer0)"
        flood=$started
        wait_for 30 more_sent_than 2000 || fail "$mode, $sysctl: $(fw stats)"
        for address in $right_inet $right_inet6; do
            connects "$address" >"$work/options" || fail "$mode, $sysctl: $address in a flood: $(fw stats)"
        done
        kill "$flood" && wait "$flood" 2>/dev/null
        # Kept is only what the host got to see: that within the rate, and what its queue had room for.
        [ "$(half_open)" -le $(($(cookies passed) + $(cookies declined) + $(cookies right))) ] ||
            fail "$mode, $sysctl: flows of spoofed SYNs: $(fw flows count; fw stats)"
        [ "$(cookies sent)" -gt $((5 * ($(cookies passed) + $(cookies declined)))) ] ||
            fail "$mode, $sysctl: too much reaches the host: $(fw stats)"
        [ "$(in_right ss -Htn state syn-recv | wc -l)" -le 16 ] || fail "$mode, $sysctl: $(in_right ss -Htn)"
    done
done
[ "$(stat_of 'rule("ingress", "web")')" -gt 8000 ] || fail "what was answered is not counted: $(fw stats)"

# Without state: what is acknowledged is decided by the rules.
syncookies 2
printf 'interface fw0 mode generic\noption syncookie-after 0/s\ningress default drop {\n    pass tcp to port 80 syncookie\n}\n' \
    >"$work/fw.conf"
fw -q apply "$work/fw.conf" || fail "without state: apply"
mark
for address in "${servers[@]}"; do
    [ "$(connects "$address")" = 0 ] || fail "without state: $address"
done
[ "$(cookies sent)-$(cookies right)-$(cookies wrong)" = "$count-0-0" ] || fail "without state: $(fw stats)"

# The interface gets another MAC address, and one day somebody looks.
in_right ip link set fw0 address 02:00:00:00:55:01
neighbours "$left" peer0 $right_inet $right_inet6 02:00:00:00:55:01
[ "$(connects $right_inet)" = 7 ] || fail "another MAC address: answered"
fw status | grep -q "^warning: fw0: .* the MAC address is not the one" || fail "another MAC address: $(fw status)"
start_right "$fwctl" --pin-dir "$pins" watch 2>"$work/watch"
wait_for 30 grep -q "fw0 has another MAC address" "$work/watch" || fail "watch: $(cat "$work/watch")"
[ "$(connects $right_inet)" = 0 ] || fail "another MAC address: not learnt"
kill "$started"

# The host takes no cookies: said, and nothing breaks.
syncookies 0
rules generic 0
in_right "$fwctl" check "$work/fw.conf" 2>&1 | grep -q "fw.conf:5:5: warning: 'syncookie' does nothing while" ||
    fail "check: $(in_right "$fwctl" check "$work/fw.conf" 2>&1)"
fw status | grep -q "^warning: 'syncookie' does nothing while" || fail "status: $(fw status)"
[ "$(connects $right_inet)" = 7 ] || fail "no cookies: the host does not answer"
exit 0
