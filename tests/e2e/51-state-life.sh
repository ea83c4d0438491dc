#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The life of recorded flows: connections stay through switches, crashes, other sizes, floods and
# two applies at once; flows are seen, counted, deleted, timed out, held against new rules.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start
ask=$root/tests/lib/ask.py
ip -n "$right" route add default via $left_inet
held=60

rules() { # FLOWS [MORE]
    cat <<END
interface fw0
option flows $1
option timeout udp-unreplied ${udp:-30s}
ingress default drop {
    pass state established, related
    pass tcp to port { 7, 9 } flags S/SA keep state label echo
    pass icmp type echo-request keep state label ping
    ${2:-}
}
egress default drop {
    pass state established, related
    pass keep state label out
}
END
}
said() { grep -q -- "$1" "$work/err" || fail "no word of '$1': $(cat "$work/err")"; }
apply() { # FLOWS [MORE]
    rules "$@" >"$work/fw.conf"
    fw apply "$work/fw.conf" 2>"$work/err" || fail "apply: $(cat "$work/err")"
}
counted_flows() { fw flows count "$@"; }
total() { # EXPRESSION on the totals `t`
    fw flows count --json | /usr/bin/python3 -c "import json, sys
t = json.load(sys.stdin)
print($1)"
}
all_held() { [ "$(counted_flows tcp to $right_inet port 7 state established rule echo)" = $held ]; }
hold() { # COUNT: keeps connections busy; $started is who does
    rm -f "$work/held"
    start_left "$ask" hold $right_inet 7 "$1" >"$work/held" 2>&1
    wait_for 20 grep -q ready "$work/held" || fail "no connections: $(cat "$work/held")"
}
alive() { # PID: how many of its connections were alive to the end
    kill "$1"
    wait_for 30 grep -q '^[0-9]* [0-9]*$' "$work/held"
    sed -n 's/^\([0-9]*\) [0-9]*$/\1/p' "$work/held"
}

apply 4096
total "t['recording'], t['assured']['size'], t['assured']['present']" | grep -qx "True 4096 0" ||
    fail "$(fw flows count --json)"
start_right "$ask" serve 7
wait_for 10 in_right bash -c "exec 3<>/dev/tcp/127.0.0.1/7" || fail "no server"
hold $held
holder=$started
all_held || fail "$(counted_flows rule echo) flows, not $held: $(fw flows | head -n 3)"

# Switches, also two at a time, changes of single rules, and other sizes of the table.
for i in 1 2 3; do
    rules 4096 "drop udp to port 5$i" >"$work/a.conf"
    rules 4096 "drop udp to port 6$i" >"$work/b.conf"
    fw -q apply "$work/a.conf" &
    first=$!
    fw -q apply "$work/b.conf" || fail "the second of two applies"
    wait $first || fail "the first of two applies"
    fw -q add ingress drop udp to port 77 label more 2>/dev/null && fw -q delete more || fail "add, delete"
done
all_held || fail "switches: $(counted_flows rule echo) flows of $held"
for size in 20000 1500 4096; do
    apply $size
    [ "$(total "t['assured']['size']")" = $size ] || fail "size $(total "t['assured']['size']")"
    all_held || fail "size $size: $(counted_flows rule echo) flows of $held"
done

# Killed at each step of a switch that makes the tables anew: the flows are there, and nothing stays.
for step in 10 -10; do # larger ones come before the switch, smaller ones behind
    for stop in $(seq 1 40); do
        rules $((5000 + step * stop)) >"$work/fw.conf"
        (FWCTL_TEST_STOP_AT=$stop fw -q apply "$work/fw.conf") 2>/dev/null
        status=$?
        all_held || fail "killed at $stop: $(counted_flows rule echo) flows of $held"
        fw -q flows delete udp 2>"$work/err" || fail "the next fwctl after a kill at $stop: $(cat "$work/err")"
        all_held || fail "cleaned up after $stop: $(counted_flows rule echo) flows of $held"
        find "$pins" -name 'flows-old-*' | grep -q . && fail "an old table is left after a kill at $stop"
        [ $status -ne 0 ] || break
    done
    [ $status -eq 0 ] && [ "$stop" -gt 12 ] || fail "not all steps were tried: $stop"
    [ "$(total "t['assured']['size']")" = $((5000 + step * stop)) ] || fail "size after the kills: $(total "t['assured']['size']")"
done

# A flood of SYNs from random sources fills the table of half-open flows, and no other.
apply 4096
flood=$(in_left "$ask" flood $right_inet 9 3 peer0 "$(mac "$right" fw0)")
[ "$flood" -gt 3000 ] || fail "only $flood SYNs were sent"
# What the interface itself had no room for on a busy machine is not asked about.
total "t['half_open']['recorded'] > 2000, t['half_open']['evicted'] > 0, t['assured']['evicted']" |
    grep -qx "True True 0" || fail "after $flood SYNs: $(fw flows count --json)"
all_held || fail "the flood left $(counted_flows rule echo) flows of $held"
# A new connection gets through behind it.
[ "$(in_left "$ask" churn $right_inet 7 1 | sed 's/ .*//')" -gt 10 ] || fail "no new connections after the flood"

# Many short connections (CHURN_SECONDS=400 makes a million): none fails, each was recorded.
before=$(total "t['assured']['recorded']")
read -r good bad <<<"$(in_left "$ask" churn $right_inet 7 "${CHURN_SECONDS:-4}")"
[ "$bad" = 0 ] && [ "$good" -gt 100 ] || fail "$bad of $good short connections failed"
[ $(($(total "t['assured']['recorded']") - before)) -ge "$good" ] || fail "not all short connections were recorded"
[ "$(total "t['failed']")" = 0 ] || fail "flows could not be recorded"

# What cannot be made changes nothing: too few files, and more flows than memory.
rules 9000 >"$work/big.conf"
(ulimit -n 24 && fw apply "$work/big.conf") 2>"$work/err" && fail "an apply with few files"
all_held || fail "a failed apply took flows: $(cat "$work/err")"
rules 67108864 >"$work/big.conf"
if [ "$(sed -n 's/MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)" -lt 15000000 ]; then
    fw apply "$work/big.conf" 2>"$work/err" && fail "67 million flows fit"
    said "tables for 67108864 flows need .* MB of memory"
    all_held || fail "a refused apply took flows"
fi
# A smaller table, for rules that cannot be attached: the flows that would not fit stay.
cat >"$work/sow.py" <<'END'
import socket, sys
for port in range(10000, 12500):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b"x", (sys.argv[1], port))
    s.close()
END
sown() { counted_flows udp to $left_inet port 10000-12499; }
udp=10min apply 16384
in_right /usr/bin/python3 "$work/sow.py" $left_inet
before=$(sown)
[ "$before" = 2500 ] || fail "$before datagrams of 2500 were recorded"
{ udp=10min rules 1024; echo "interface lo mode native"; } >"$work/refused.conf"
fw apply "$work/refused.conf" 2>"$work/err" && fail "native mode on lo"
said "the rules that ran before are running again"
[ "$(sown)" = "$before" ] || fail "an apply that failed left $(sown) flows of $before"
fw -q flows delete udp 2>/dev/null || fail "flows delete udp"
apply 4096
[ "$(alive $holder)" = $held ] || fail "not all connections lived: $(cat "$work/held")"

# Lists, filters, numbers.
in_right bash -c "echo x >/dev/udp/$left_inet/9999"
hold 5
in_left ping -q -c 2 -i 0.05 -W 1 $right_inet6 >/dev/null && fail "IPv6 pings are not refused"
in_left ping -q -c 2 -i 0.05 -W 1 $right_inet >/dev/null || fail "ping"
fw flows tcp port 7 state established | grep -qE "^tcp   $left_inet:[0-9]+ > $right_inet:7  established  age [0-9a-z]+  left (5d|4d23h.*)  packets [0-9]+/[0-9]+  bytes [0-9]+/[0-9]+  ingress fw0  rule echo$" ||
    fail "flows: $(fw flows)"
[ "$(counted_flows icmp from $left_inet to $right_inet rule ping)" = 1 ] || fail "flows count icmp"
[ "$(counted_flows address 192.0.2.0/24 port 7 state established)" = 5 ] || fail "flows count address"
# `address` and `port` may be of different ends, those of `from` and `to` are of one.
[ "$(counted_flows address $left_inet port 7 state established)" = 5 ] || fail "flows count address and port"
[ "$(counted_flows from $left_inet port 7)" = 0 ] || fail "flows count from address and port"
[ "$(counted_flows inet tcp port echo state established) $(counted_flows inet6 tcp)" = "5 0" ] || fail "families, services"
[ "$(counted_flows from $right_inet port 7)" = 0 ] || fail "a flow has its originator wrong"
[ "$(counted_flows udp to $left_inet port 9990-9999 state unreplied on fw0)" = 1 ] || fail "flows count udp"
fw flows list udp --json | /usr/bin/python3 -c "import json, sys
f, = json.load(sys.stdin)
assert (f['from']['address'], f['to'], f['packets'], f['packets_back'], f['hook'], f['rule']) == (
    '$right_inet', {'address': '$left_inet', 'port': 9999}, 1, 0, 'egress', 'out'), f
assert 0 < f['left'] <= 30 and f['bytes'] == 44, f" || fail "flows --json: $(fw flows --json)"
udp=1s apply 4096
before=$(total "t['half_open']['recorded']")
in_right bash -c "echo x >/dev/udp/$left_inet/9998"
[ "$(total "t['half_open']['recorded']")" = $((before + 1)) ] || fail "a datagram is not recorded"
no_flow() { [ "$(counted_flows "$@")" = 0 ]; }
wait_for 10 no_flow udp port 9998 || fail "the UDP flow does not time out: $(fw flows udp)"
for wrong in "from nowhere" "port 70000" "port 9-" "state maybe" "sideways" "from" "on nosuch0" "rule ecoh"; do
    # shellcheck disable=SC2086
    fw flows $wrong >"$work/out" 2>"$work/err"
    [ $? -eq 2 ] || fail "flows $wrong: not refused"
done
said "no rule is called 'ecoh'; did you mean 'echo'?"
fw flows delete rule ecoh 2>/dev/null && fail "flows of no rule are deleted"
fw flows delete 2>/dev/null && fail "delete without a filter"
fw stats | grep -q '^assured    [0-9]* of at most 4096; recorded' || fail "stats: $(fw stats)"
fw stats --prometheus | grep -q '^fwctl_flows{table="assured"} [1-9]' || fail "stats --prometheus"
[ "$(stat_of "s['flows']['assured']['present'] >= 5")" = True ] || fail "stats --json"

# A deleted flow is one no more: its packets are new, and the rules refuse those.
holder=$started
dropped() { stat_of "s['hooks']['ingress']['drop']"; }
before=$(dropped)
fw flows delete tcp port 7 state established 2>"$work/err" || fail "flows delete"
said "[0-9]* flows deleted"
more_dropped() { [ "$(dropped)" -gt "$before" ]; }
wait_for 10 more_dropped || fail "packets pass without their flow"
no_flow tcp port 7 state established || fail "a flow began in its middle"
kill -9 "$holder"

# New rules: flows stay, unless recheck-flows is on.
hold 5
holder=$started
rules 4096 | sed 's/{ 7, 9 }/{ 8, 9 }/' >"$work/fw.conf"
fw -q apply "$work/fw.conf" || fail "apply"
sleep 0.3
[ "$(counted_flows tcp port 7 state established)" = 5 ] || fail "flows went with their rule"
fw flows tcp port 7 | grep -q "rule echo$" || fail "the rule's name is lost"
sed -i '1i option recheck-flows on' "$work/fw.conf"
fw apply "$work/fw.conf" 2>"$work/err" || fail "apply"
said "flows deleted that the new rules refuse"
[ "$(counted_flows tcp port 7 state established)" = 0 ] || fail "recheck-flows left flows"
kill -9 "$holder"

# An interface that goes and comes again under another number.
apply 4096
in_left ping -q -c 1 -W 1 $right_inet >/dev/null || fail "ping"
ip -n "$left" link del peer0
fw flows icmp | grep -qE "ingress [0-9]+  rule ping" || fail "a flow of no interface: $(fw flows icmp)"
ip -n "$left" link add peer0 type veth peer name fw0 netns "$right"
link_start "$left" peer0 $left_inet/24 $left_inet6/64
link_start "$right" fw0 $right_inet/24 $right_inet6/64
neighbours "$left" peer0 $right_inet $right_inet6 "$(mac "$right" fw0)"
neighbours "$right" fw0 $left_inet $left_inet6 "$(mac "$left" peer0)"
fw -q apply "$work/fw.conf" || fail "apply on the new interface"
in_left ping -q -c 1 -W 1 $right_inet >/dev/null || fail "ping over the new interface"

# Two generations without state, and the tables are gone.
fw -q flows flush || fail "flush"
[ "$(fw flows | wc -l)" = 0 ] || fail "flush left flows"
printf 'interface fw0\ningress default pass {\n}\negress default pass {\n}\n' >"$work/none.conf"
fw -q apply "$work/none.conf" && [ "$(total "t['recording']")" = True ] && fw -q apply "$work/none.conf" || fail "apply"
[ "$(total "t['recording']")" = False ] || fail "tables without state: $(fw flows count)"
fw flows count | grep -q "record no flows" || fail "flows count without state"
exit 0
