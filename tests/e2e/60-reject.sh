#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `reject` tells the sender: connections and datagrams are refused at once, on both hooks and in both
# families, with the errors that nft's reject gives. Every field of the answers is looked at, and
# what must not be answered is not. In native and generic XDP, with TCX (where there is one) and
# with clsact.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

# Listeners, so that a packet that slips through is seen.
cat >"$work/listen.py" <<'END'
import socket, sys, time
kept = []
for kind, port in ((socket.SOCK_STREAM, 113), (socket.SOCK_STREAM, 25), (socket.SOCK_DGRAM, 9), (socket.SOCK_DGRAM, 99)):
    s = socket.socket(socket.AF_INET6, kind)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(("::", port))
    if kind == socket.SOCK_STREAM:
        s.listen()
    kept.append(s)
open(sys.argv[1], "w").close()
time.sleep(600)
END
start_left /usr/bin/python3 "$work/listen.py" "$work/left-listens"
start_right /usr/bin/python3 "$work/listen.py" "$work/right-listens"
wait_for 30 test -e "$work/left-listens" && wait_for 30 test -e "$work/right-listens" || fail "no listeners"

# What programs are told: tries ADDRESSES TCP-PORT UDP-PORT
cat >"$work/tries.py" <<'END'
import contextlib, errno, socket, sys
def attempt(address, kind, port, data):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as s:
        s.settimeout(10)
        try:
            s.connect((address, port))
            if kind == socket.SOCK_DGRAM:
                with contextlib.suppress(PermissionError):  # nft in the output hook says both
                    s.send(data)
                s.recv(1)
            return "accepted"
        except OSError as error:
            return errno.errorcode.get(error.errno, "timeout")
for address in sys.argv[1].split(","):
    print("TCP", ":" in address, attempt(address, socket.SOCK_STREAM, int(sys.argv[2]), b""))
    for size in (1, 1400):
        print("UDP", ":" in address, size, attempt(address, socket.SOCK_DGRAM, int(sys.argv[3]), b"x" * size))
END
try_all() {
    in_left /usr/bin/python3 "$work/tries.py" $right_inet,$right_inet6 113 9
    in_right /usr/bin/python3 "$work/tries.py" $left_inet,$left_inet6 25 99
}

# nft, on the same host, for the same packets.
in_right nft -f - <<'END' || fail "nft"
table inet yardstick {
    chain in  { type filter hook input priority 0;  tcp dport 113 reject with tcp reset; udp dport 9 reject; }
    chain out { type filter hook output priority 0; tcp dport 25 reject with tcp reset;  udp dport 99 reject; }
}
END
try_all >"$work/nft"
in_right nft delete table inet yardstick
[ "$(grep -c ECONNREFUSED "$work/nft")" = 12 ] || fail "nft does not refuse: $(cat "$work/nft")"

rules() { # MODE
    cat <<END
option essential off
option reject-rate 100000/s
interface fw0 mode $1
ingress default drop {
    reject tcp to port 113      label in-tcp
    reject udp to port 9        label in-udp
    pass   from { $left_inet, $left_inet6 }
    reject                      label in-all
}
egress default pass {
    reject tcp to port 25       label out-tcp
    reject udp to port 99       label out-udp
    drop   tcp from port 113    label judged
    drop   icmp                 label judged-icmp
    drop   icmp6 type 1         label judged-icmp6
}
END
}
answers() { # HOOK OUTCOME
    stat_of "s['answers']['$1']['$2']"
}
place() { # where the program that answers is: a mode, or nothing
    fw status --json | /usr/bin/python3 -c "import json, sys
print(*[i['mode'] for i in json.load(sys.stdin)['answers']])"
}
has_tcx() {
    local major minor
    IFS=.- read -r major minor _ <<<"$(uname -r)"
    [ $((major * 1000 + minor)) -ge 6006 ]
}

for way in native-tcx generic-tcx native-clsact generic-clsact; do
    has_tcx || [ "${way#*-}" != tcx ] || continue
    [ "${way#*-}" = tcx ] && unset FWCTL_TC || export FWCTL_TC=clsact
    rules "${way%-*}" >"$work/fw.conf"
    fw -q apply "$work/fw.conf" || fail "$way: apply"
    [ "$(place)" = "${way#*-}" ] || fail "$way: the program that answers is at '$(place)'"
    try_all >"$work/ours"
    [ "$(cat "$work/ours")" = "$(cat "$work/nft")" ] || fail "$way: not as nft: $(paste "$work/ours" "$work/nft")"
    # One packet each: it was the first one that was answered.
    for label in in-tcp:ingress:2 in-udp:ingress:4 out-tcp:egress:2 out-udp:egress:4; do
        IFS=: read -r name hook count <<<"$label"
        [ "$(stat_of "rule('$hook', '$name')")" = "$count" ] || fail "$way: $name: $(fw stats)"
    done
    [ "$(answers ingress sent)-$(answers egress sent)" = 6-6 ] || fail "$way: answers: $(fw stats)"
    # Our answers leave although egress would drop them.
    [ "$(stat_of 'rule("egress", "judged") + rule("egress", "judged-icmp") + rule("egress", "judged-icmp6")')" = 0 ] ||
        fail "$way: answers are judged at egress: $(fw stats)"
    silent=$(in_left /usr/bin/python3 "$root/tests/lib/answers.py" peer0 "$(mac "$right" fw0)") || fail "$way: see above"
    [ "$(answers ingress failed)-$(answers egress failed)" = 0-0 ] || fail "$way: failures: $(fw stats)"
    [ "$(answers ingress withheld)" -ge "$silent" ] || fail "$way: $silent without answer: $(fw stats)"
    fw -q down || fail "$way: down"
    in_right tc qdisc show dev fw0 | grep clsact && fail "$way: the qdisc stays"
done
exit 0
