#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Limits in front of real traffic: per source, per destination, in bits on the way out, exact for
# ten seconds on all CPUs, and the same through apply, add and delete.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

# A number of a rule: of RULE HOOK KEY, as in `limited.packets`.
of() {
    fw stats --json | /usr/bin/python3 -c "import json, sys
r = [r for r in json.load(sys.stdin)['rules'] if r['label'] == '$1' and r['hook'] == '$2'][0]
for key in '$3'.split('.'): r = r[key]
print(r)"
}
answers() { # COUNT ADDRESS [SOURCE]: how many of so many pings are answered
    in_left ping -n -i 0.01 -c "$1" -W 1 -I "${3:-peer0}" "$2" | sed -n 's/.* \([0-9]*\) received.*/\1/p'
}
apply() { # RULES-OF-INGRESS [RULES-OF-EGRESS]
    printf 'interface fw0\noption essential off\ningress default pass {\n%s\n}\negress default pass {\n%s\n}\n' \
        "$1" "${2:-}" >"$work/fw.conf"
    fw apply "$work/fw.conf" 2>"$work/err" || fail "apply: $(cat "$work/err")"
}
equal() { [ "$1" = "$2" ] || fail "$3: $1 instead of $2"; }

# Each source by itself, in both families.
ip -n "$left" addr add 192.0.2.3/24 dev peer0
ip -n "$right" neigh replace 192.0.2.3 lladdr "$(mac "$left" peer0)" nud permanent dev fw0
apply '    pass icmp type echo-request limit 1/h burst 4 per source label ping
    pass icmp6 type echo-request limit 1/h burst 3 per source label ping6'
equal "$(answers 10 $right_inet)" 4 "answers to the first source"
equal "$(answers 6 $right_inet 192.0.2.3)" 4 "answers to the second source"
equal "$(answers 5 $right_inet6)" 3 "answers over IPv6"
equal "$(of ping ingress packets)" 8 "counted as passed"
equal "$(of ping ingress limited.packets)" 8 "counted as limited"
equal "$(of ping ingress limited.bytes)" $((8 * 98)) "bytes that were limited"
equal "$(of ping6 ingress limited.packets)" 2 "limited over IPv6"
equal "$(stat_of "s['hooks']['ingress']['drop']")" 10 "dropped at ingress"
fw stats | grep -q '^ *packets  *bytes  limited  rule' || fail "no column of limits: $(fw stats)"
fw stats | grep -q ' 8  *784  *8  pass icmp' || fail "no limited packets in the table: $(fw stats)"
fw stats --prometheus |
    grep -q '^fwctl_rule_limited_packets_total{hook="ingress",rule="ping"} 8$' ||
    fail "not in the metrics"
fw status | grep -q '2 with a limit' || fail "status: $(fw status)"

# Other rules come and go: who is at his limit stays there.
fw add ingress 'drop udp to port 9 label other' 2>/dev/null || fail "add"
equal "$(answers 3 $right_inet)" 0 "answers after add"
fw apply "$work/fw.conf" 2>/dev/null || fail "apply again"
equal "$(answers 3 $right_inet)" 0 "answers after apply"
fw delete ingress ping6 2>/dev/null || fail "delete"
equal "$(answers 3 $right_inet)" 0 "answers after delete"
equal "$(of ping ingress limited.packets)" 17 "limited in four generations"

# What a drop rule allows goes on.
apply '    drop icmp limit 1/h burst 2 label few
    count icmp label rest'
equal "$(answers 5 $right_inet)" 2 "answers within the limit of a drop rule"
equal "$(of few ingress packets) $(of few ingress limited.packets) $(of rest ingress packets)" \
    "0 3 2" "counters of a drop rule"

# Per destination, on the way out.
apply '' '    pass udp limit 1/h burst 5 per destination label out'
in_right /usr/bin/python3 -c "import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(20):
    for host in '$left_inet', '192.0.2.3':
        try: s.sendto(b'x', (host, 9))
        except OSError: pass" # a dropped packet is an error to its sender
equal "$(of out egress packets) $(of out egress limited.packets)" "10 30" "per destination"

# Bits on the way out: TCP of iperf3, in large segments, keeps below the rate but uses it.
apply '' '    pass tcp limit 40 mbit/s label rate'
start_left iperf3 -s -1 -p 5301 >/dev/null
wait_for 10 in_left sh -c 'ss -ltn | grep -q :5301' || fail "no iperf3 server"
begin=$(date +%s%N)
in_right timeout 60 iperf3 -c $left_inet -p 5301 -t 3 >"$work/iperf" 2>&1 || fail "iperf3: $(cat "$work/iperf")"
end=$(date +%s%N)
bits=$(($(of rate egress bytes) * 8))
[ $bits -le $((10000000 + (end - begin) / 25 * 101 / 100)) ] || fail "$bits bits in $((end - begin)) ns"
[ $bits -ge 30000000 ] || fail "TCP does not get through: $bits bits"
[ "$(of rate egress limited.packets)" -gt 0 ] || fail "TCP never met the limit"

# Ten seconds from all CPUs, far above the rate: within 1 % of what it gives.
cat >"$work/flood.py" <<'END'
import os, socket, sys, threading, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
os.sched_setaffinity(0, {int(sys.argv[1])})
times = [time.clock_gettime(time.CLOCK_BOOTTIME)]
while times[-1] - times[0] < 10:
    for i in range(50):
        s.sendto(b"x", (sys.argv[2], 9))
    times.append(time.clock_gettime(time.CLOCK_BOOTTIME))
print(*times)
END
rate=2000 burst=6000 # three seconds, in which a busy machine may forget us
apply "    pass udp limit $rate/s burst $burst label flood"
floods=()
for cpu in $(seq 0 $(($(nproc) - 1)) | head -n 4); do
    in_left /usr/bin/python3 "$work/flood.py" "$cpu" $right_inet >"$work/flood.$cpu" &
    floods+=($!)
done
wait "${floods[@]}"
passed=$(of flood ingress packets) over=$(of flood ingress limited.packets)
# What a bucket gives to packets that came when these were sent, and at most.
cat "$work"/flood.[0-9]* | /usr/bin/python3 -c "import sys
times = [[float(t) for t in line.split()] for line in sys.stdin]
first, last = min(t[0] for t in times), max(t[-1] for t in times)
most = $burst + $rate * (last - first)
held, given, before = $burst, 0, first
for at in sorted(t for each in times for t in each[1:]):
    held = min($burst, held + $rate * (at - before))
    taken, before = min(50, held), at
    held, given = held - taken, given + taken
print(f'$passed passed, $over over, the limit gives {given:.0f}, at most {most:.0f} in {last - first:.2f} s')
sys.exit(not given * 0.99 <= $passed <= most * 1.01)" || fail "not within 1 %"
[ "$over" -gt 0 ] || fail "the flood never met the limit"
exit 0
