#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The program that answers is there while rules reject, and only then; floods are answered at most
# at the rate; established connections are reset in the midst of large segments; the loopback and
# links without a link layer are answered too.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

places() { # "fw0:tcx ..." where the program that answers is
    fw status --json | /usr/bin/python3 -c "import json, sys
print(*[i['interface'] for i in json.load(sys.stdin)['answers']])"
}
at_tc() { # the kernel's own word: programs named fw_answer that use our counts of answers
    bpftool -j prog show name fw_answer 2>/dev/null | /usr/bin/python3 -c "import json, sys
text = sys.stdin.read().strip()
programs = json.loads(text) if text else []
programs = programs if isinstance(programs, list) else [programs]
print(sum($ours in program.get('map_ids', ()) for program in programs))"
}
gone() { [ "$(at_tc)" = 0 ]; }

for way in tcx clsact; do
    [ $way = tcx ] && unset FWCTL_TC || export FWCTL_TC=clsact
    printf 'option essential off\ninterface "fw*"\ningress default pass {\n    drop udp to port 9 label one\n}\n' >"$work/fw.conf"
    fw -q apply "$work/fw.conf" || fail "$way: apply"
    [ -z "$(places)" ] || fail "$way: it answers without being asked: $(fw status)"
    fw -q add ingress reject tcp to port 113 label two || fail "$way: add"
    [ "$(places)" = fw0 ] || fail "$way: the first rule that rejects brings nothing: $(fw status)"
    ours=$(bpftool -j map show pinned "$(echo "$pins"/v*/answer-counts)" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
    [ "$(at_tc)" = 1 ] || fail "$way: the kernel has $(at_tc) of map '$ours'"
    fw -q add ingress reject tcp to port 114 label three || fail "$way: add"
    fw -q delete two || fail "$way: delete"
    [ "$(places)" = fw0 ] || fail "$way: it goes while a rule rejects"

    # Interfaces that come get it too, and it is not missed where they go.
    start_right "$fwctl" --pin-dir "$pins" -q watch
    watch=$started
    ip -n "$right" link add fw1 type veth peer name other1
    ip -n "$right" link set fw1 up
    both() { [ "$(places)" = "fw0 fw1" ]; }
    wait_for 120 both || fail "$way: an interface that comes is not answered: $(fw status)"
    ip -n "$right" link del fw1
    one() { [ "$(places)" = fw0 ]; }
    wait_for 120 one || fail "$way: $(fw status)"

    # Taken off by somebody, it is missed, and comes back.
    kill "$watch"
    wait "$watch" 2>/dev/null
    if [ "$(fw status --json | grep -c '"mode": "clsact"')" -gt 0 ]; then
        in_right tc filter del dev fw0 ingress
    else
        rm "$pins"/v*/links/answer-*
    fi
    wait_for 10 gone || fail "$way: it is not off"
    fw status >"$work/status" && fail "$way: status finds nothing wrong: $(cat "$work/status")"
    grep -q 'problem: fw0: what rules reject is dropped and not answered' "$work/status" ||
        fail "$way: $(cat "$work/status")"
    fw -q apply "$work/fw.conf" 2>/dev/null || fail "$way: apply again"
    [ -z "$(places)" ] || fail "$way: it stays when the last rule that rejects goes"
    fw -q add egress reject tcp to port 25 label four || fail "$way: add at egress"
    [ "$(places)" = fw0 ] || fail "$way: egress does not bring it"
    fw -q down || fail "$way: down"
    wait_for 10 gone || fail "$way: it stays after down"
    in_right tc qdisc show dev fw0 | grep clsact && fail "$way: the qdisc stays"
done
unset FWCTL_TC

# A flood is answered at most at the rate, and every packet of it is accounted for.
cat >"$work/fw.conf" <<'END'
option essential off
option reject-rate 50/s
interface fw0
ingress default pass {
    reject udp to port 9       label flooded
}
END
fw -q apply "$work/fw.conf" || fail "apply"
cat >"$work/flood.py" <<'END'
import contextlib, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], 9))
start = time.monotonic()
sent = 0
while time.monotonic() - start < 3:
    with contextlib.suppress(ConnectionRefusedError):
        s.send(b"x")
        sent += 1
print(sent)
END
begin=$(date +%s%N)
in_left /usr/bin/python3 "$work/flood.py" $right_inet >"$work/sent" || fail "flood"
counted() { [ "$(stat_of 'rule("ingress", "flooded")')" -ge "$(cat "$work/sent")" ]; }
wait_for 10 counted || fail "of $(cat "$work/sent") $(stat_of 'rule("ingress", "flooded")') are counted"
most=$((50 * (1 + ($(date +%s%N) - begin) / 1000000000) + 50))
sent=$(stat_of 's["answers"]["ingress"]["sent"]') limited=$(stat_of 's["answers"]["ingress"]["limited"]')
[ "$sent" -ge 50 ] && [ "$sent" -le $most ] || fail "$sent answers, $most are the most"
[ $((sent + limited)) = "$(stat_of 'rule("ingress", "flooded")')" ] || fail "lost: $(fw stats)"
echo "note: a flood of $(cat "$work/sent") had $sent answers"

# Rules that reject come and go under the flood: no packet goes up the stack with its mark.
strange() { in_right awk '$1 == "Ip:" && $2 ~ /^[0-9]/ { print $5 }' /proc/net/snmp; } # InHdrErrors
sed -i 's/50\/s/1000\/s/; s/reject udp to port 9  .*/drop udp to port 10/' "$work/fw.conf"
fw -q apply "$work/fw.conf" || fail "apply"
start_left /usr/bin/python3 "$work/flood.py" $right_inet >"$work/sent"
for i in 1 2 3 4 5 6; do
    fw -q add ingress reject udp to port 9 label flooded 2>/dev/null || fail "add under a flood"
    answered() { [ "$(stat_of 's["answers"]["ingress"]["sent"]')" -gt "$sent" ]; }
    wait_for 10 answered || [ $i -gt 1 ] || fail "no answers in the flood"
    sent=$(stat_of 's["answers"]["ingress"]["sent"]')
    fw -q delete flooded || fail "delete under a flood"
done
[ "$(strange)" = 0 ] || fail "$(strange) packets reached the stack unanswered, with their mark"

# A connection in full swing, with segments of many packets, is reset at either side.
cat >"$work/serve.py" <<'END'
import socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((sys.argv[1], 5001))
listener.listen()
open(sys.argv[2], "w").close()
peer, _ = listener.accept()
try:
    while peer.recv(1 << 20):
        pass
except OSError:
    pass
END
cat >"$work/send.py" <<'END'
import errno, socket, sys
s = socket.create_connection((sys.argv[1], 5001), 10)
s.settimeout(20)
try:
    s.sendall(bytes(1 << 20))
    open(sys.argv[2], "w").close()
    while True:
        s.sendall(bytes(1 << 20))
except OSError as error:
    print(errno.errorcode.get(error.errno, "timeout"))
END
for hook in ingress egress; do
    rm -f "$work/ready" "$work/flows"
    [ $hook = ingress ] && here=left there=right address=$right_inet || here=right there=left address=$left_inet
    start_$there /usr/bin/python3 "$work/serve.py" $address "$work/ready"
    wait_for 30 test -e "$work/ready" || fail "no server"
    start_$here /usr/bin/python3 "$work/send.py" $address "$work/flows" >"$work/error"
    wait_for 30 test -e "$work/flows" || fail "$hook: nothing flows"
    fw -q add --at 1 $hook reject tcp to port 5001 label late-$hook || fail "$hook: add"
    wait_for 30 test -s "$work/error" || fail "$hook: the sender is not told: $(fw stats)"
    grep -qx 'ECONNRESET\|EPIPE' "$work/error" || fail "$hook: $(cat "$work/error")"
done
fw -q down || fail "down"

# The loopback.
cat >"$work/lo.conf" <<'END'
option essential off
interface lo
ingress default pass {
    reject tcp to port 5001 label in
}
egress default pass {
    reject udp to port 9 label out
}
END
fw -q apply "$work/lo.conf" 2>/dev/null || fail "apply on lo"
cat >"$work/lo.py" <<'END'
import errno, socket
for address in ("127.0.0.1", "::1"):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener, socket.socket(family, socket.SOCK_DGRAM) as receiver:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, 5001))
        listener.listen()
        receiver.bind((address, 9))
        for kind, port in ((socket.SOCK_STREAM, 5001), (socket.SOCK_DGRAM, 9)):
            with socket.socket(family, kind) as s:
                s.settimeout(10)
                try:
                    s.connect((address, port))
                    s.send(b"x")
                    s.recv(1)
                    print("accepted")
                except OSError as error:
                    print(errno.errorcode.get(error.errno, "timeout"))
END
[ "$(in_right /usr/bin/python3 "$work/lo.py" | sort | uniq -c | tr -s ' ')" = " 4 ECONNREFUSED" ] ||
    fail "lo: $(in_right /usr/bin/python3 "$work/lo.py"; fw stats)"
fw -q down || fail "down"

# A tunnel, whose packets have no link-layer header.
[ -c /dev/net/tun ] || { modprobe tun 2>/dev/null; [ -c /dev/net/tun ]; } || exit 0
cat >"$work/tun.py" <<'END'
import fcntl, os, select, socket, struct, subprocess, sys
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
fwctl, pins, rules = sys.argv[1:]
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"fw9", 0x1001))  # IFF_TUN | IFF_NO_PI
for line in ("link set fw9 up", "addr add 198.51.100.1/24 dev fw9", "addr add 2001:db8:9::1/64 dev fw9 nodad"):
    subprocess.run(["ip", *line.split()], check=True)
subprocess.run([fwctl, "--pin-dir", pins, "-q", "apply", rules], check=True)
def read(wanted):
    while select.select([tun], [], [], 10)[0]:
        packet = os.read(tun, 65536)
        if wanted(packet):
            return packet
    sys.exit("no answer")
for here, there, make in (("198.51.100.7", "198.51.100.1", IP), ("2001:db8:9::7", "2001:db8:9::1", IPv6)):
    os.write(tun, bytes(make(src=here, dst=there) / TCP(sport=5, dport=113, flags="S", seq=9)))
    got = read(lambda packet: packet[6 if packet[0] >> 4 == 6 else 9] == 6)
    more = {"id": 0, "flags": "DF", "ttl": 64} if make is IP else {"hlim": 64}
    wanted = make(src=there, dst=here, **more) / TCP(sport=113, dport=5, flags="RA", seq=0, ack=10, window=0)
    assert got == bytes(wanted), (got.hex(), bytes(wanted).hex())
    s = socket.socket(socket.AF_INET if make is IP else socket.AF_INET6, socket.SOCK_DGRAM)
    s.settimeout(10)
    try:
        s.connect((here, 9))
        s.send(b"x")
        s.recv(1)
        sys.exit("accepted")
    except ConnectionRefusedError:
        pass
END
cat >"$work/tun.conf" <<'END'
option essential off
interface fw9
ingress default pass {
    reject tcp to port 113 label in
}
egress default pass {
    reject udp to port 9 label out
}
END
in_right /usr/bin/python3 "$work/tun.py" "$fwctl" "$pins" "$work/tun.conf" 2>"$work/err" ||
    fail "tun: $(cat "$work/err")"
exit 0
