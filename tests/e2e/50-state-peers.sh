#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# State with real peers through a gateway: each program has to see the same under our rules and under
# the same rules of nft with conntrack, and what that is stands here.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/peers.sh
. "$(dirname "$0")/../lib/peers.sh"
for program in curl iperf3 dnsmasq traceroute nmap tcpdump nft; do
    command -v $program >/dev/null || skip "$program is not installed"
done
netns_start && peers_start
ask=$root/tests/lib/ask.py

# Ingress: the web server here, the one inside, DNS; egress: everything. No built-in rules, so that
# ICMP errors pass only where they are related.
cat >"$work/fw.conf" <<END
interface fw0
option essential off
option flows 20000
ingress default drop {
    pass ethertype arp
    pass state established, related
    pass tcp to $right_inet port { 80, 5201 } keep state label web
    pass tcp to $right_inet6 port 80 keep state
    pass tcp to $inside_inet port 80 keep state
    pass udp to $right_inet port 53 keep state
    pass icmp type echo-request keep state
    pass icmp6 type echo-request keep state
}
egress default drop {
    pass ethertype arp
    pass state established, related
    pass keep state
}
END
nft_rules() {
    cat <<END
    chain in {
        ct state established,related accept
        ip daddr $right_inet tcp dport { 80, 5201 } accept
        ip6 daddr $right_inet6 tcp dport 80 accept
        ip daddr $inside_inet tcp dport 80 accept
        ip daddr $right_inet udp dport 53 accept
        icmp type echo-request accept
        icmpv6 type echo-request accept
        drop
    }
    chain out { ct state established,related accept
        accept
    }
END
}

mkdir "$work/www"
head -c 3000000 /dev/urandom >"$work/www/file"
for place in right inside away; do
    namespace=${!place}
    start_in "$namespace" /usr/bin/python3 -m http.server --bind :: -d "$work/www" 80 >/dev/null 2>&1
    start_in "$namespace" /usr/bin/python3 -m http.server --bind :: -d "$work/www" 81 >/dev/null 2>&1
    start_in "$namespace" iperf3 -s >/dev/null 2>&1
done
start_in "$right" dnsmasq -k -C /dev/null -R -h --pid-file= --address=/test.example/192.0.2.77 2>/dev/null
start_in "$away" dnsmasq -k -C /dev/null -R -h --pid-file= --address=/test.example/192.0.2.99 2>/dev/null
wait_for 10 in_right curl -s -o /dev/null http://127.0.0.1/file || fail "no web server"
wait_for 10 in_away curl -s -o /dev/null http://127.0.0.1/file || fail "no web server"
wait_for 10 in_inside curl -s -o /dev/null http://127.0.0.1/file || fail "no web server"

fetch() { # URL: the bytes that came
    curl -s -o /dev/null -w '%{size_download}\n' --connect-timeout 1 --max-time 20 "$1"
}
rate() { # iperf3's ARGUMENTS...: is there a result?
    iperf3 "$@" -J 2>/dev/null | /usr/bin/python3 -c "import json, sys
end = json.load(sys.stdin).get('end', {})
sums = [end[k] for k in ('sum_received', 'sum') if k in end]
print('data' if sums and sums[0]['bytes'] > 100000 else 'none')"
}
export -f fetch rate
# Tries run side by side, as most of them wait for what does not come; iperf3 serves one at a
# time. Their lines stay in order.
try() { # NAME WHERE COMMAND...
    number=$((number + 1))
    attempt "$@" >"$work/try-$((1000 + number))" &
    tries+=($!)
}
attempt() { # NAME WHERE COMMAND...
    local name=$1 where=$2
    shift 2
    echo "$name: $("in_$where" "$@" 2>/dev/null </dev/null | tr '\n' ' ' | sed 's/ *$//')"
}
settle() { # without a name `wait` would wait for the servers
    [ ${#tries[@]} -eq 0 ] || wait "${tries[@]}"
    tries=()
}
alone() { # NAME WHERE COMMAND...
    settle
    try "$@"
    settle
}
pings() { # COUNT ARGUMENT...: answers
    ping -q -i 0.01 -W 1 -c "$@" | sed -n 's/.* \([0-9]*\) received.*/\1/p'
}
hops() { traceroute -n -q 1 -w 1 -N 1 -m 5 "$@" | sed -n 's/^ *\([0-9]*\)  \([^ ]*\).*/\1 \2/p'; }
# Open and closed ports as the scanner sees them.
scan() { nmap -n -Pn -T4 --max-retries 2 "$@" -oG - | sed -n 's/.*Ports: //; s/[[:space:]]*Ignored.*//; s,//[^,]*,,g; s/, / /gp'; }
export -f pings hops scan

scenarios() {
    try "web from outside" away bash -c "fetch http://$right_inet/file"
    try "web from outside, IPv6" away bash -c "fetch http://[$right_inet6]/file"
    try "web inside from outside" away bash -c "fetch http://$inside_inet/file"
    try "another port from outside" away bash -c "fetch http://$right_inet:81/file"
    try "another port inside from outside" away bash -c "fetch http://$inside_inet:81/file"
    try "web from here" right bash -c "fetch http://$away_inet/file"
    try "web from inside" inside bash -c "fetch http://$away_inet:81/file"
    try "web from inside, IPv6" inside bash -c "fetch http://[$away_inet6]:81/file"
    alone "iperf3 from inside" inside bash -c "rate -c $away_inet -n 30M"
    alone "iperf3 to inside, reverse" inside bash -c "rate -c $away_inet -n 30M -R"
    alone "iperf3 from outside" left bash -c "rate -c $right_inet -n 30M"
    alone "iperf3 from outside, reverse" left bash -c "rate -c $right_inet -n 30M -R"
    alone "iperf3 UDP from inside" inside bash -c "rate -c $away_inet -u -b 50M -l 1200 -n 2M"
    alone "iperf3 UDP to inside, reverse" inside bash -c "rate -c $away_inet -u -b 50M -l 1200 -n 2M -R"
    alone "iperf3 from outside to inside" away timeout 2 bash -c "rate -c $inside_inet -n 1M"
    try "DNS from outside" away "$ask" dns $right_inet test.example
    try "DNS from outside over TCP" away timeout 2 "$ask" dns $right_inet test.example tcp
    try "DNS from inside" inside "$ask" dns $away_inet test.example
    try "DNS from inside over TCP" inside "$ask" dns $away_inet test.example tcp
    try "ping from inside" inside bash -c "pings 5 $away_inet"
    try "ping from inside, IPv6" inside bash -c "pings 5 $away_inet6"
    try "ping from outside" away bash -c "pings 5 $inside_inet"
    try "fragments from inside" inside bash -c "pings 5 -s 4000 $left_inet"
    try "fragments from outside" left bash -c "pings 5 -s 4000 $inside_inet"
    try "fragments from inside, IPv6" inside bash -c "pings 5 -s 4000 $left_inet6"
    try "fragments from outside, IPv6" left bash -c "pings 5 -s 4000 $inside_inet6"
    try "traceroute by UDP" inside bash -c "hops $away_inet"
    try "traceroute by UDP, IPv6" inside bash -c "hops -6 $away_inet6"
    try "traceroute by ICMP" inside bash -c "hops -I $away_inet"
    try "traceroute by TCP" inside bash -c "hops -T -p 81 $away_inet"
    try "traceroute from outside" away bash -c "hops $inside_inet"
    try "path MTU" inside bash -c "ping -c 1 -W 1 -M do -s 1372 $away_inet 2>&1 | grep -o 'mtu.*1300' | tr -d ' =:'"
    try "path MTU, IPv6" inside bash -c "ping -c 1 -W 1 -M do -s 1352 $away_inet6 2>&1 | grep -o 'mtu.*1300' | tr -d ' =:'"
    try "closed port outside" inside bash -c "fetch http://$away_inet:82/file"
    # The error arrives, and not after a timeout.
    try "UDP to a closed port outside" inside /usr/bin/python3 -c "import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1); s.connect(('$away_inet', 9)); s.send(b'x')
try: s.recv(1)
except OSError as e: print(type(e).__name__)"
    for scan in S A F N X M; do
        try "nmap -s$scan" left bash -c "scan -s$scan -p 53,79-82,5201 $right_inet"
    done
    try "nmap -sU" left bash -c "scan -sU -p 53,54 $right_inet"
    try "nmap -sS inside" left bash -c "scan -sS -p 22,79-81 $inside_inet"
    try "nmap -sS from port 80" left bash -c "scan -sS -g 80 -p 80,81 $right_inet"
    try "nmap -sS from port 53, UDP" left bash -c "scan -sU -g 53 -p 54,55 $right_inet"
}

# What reaches the host inside while it is scanned in every way.
leaks() {
    local scan scans=()
    start_in "$inside" tcpdump -i eth0 -n -Q in -U -w "$work/inside.pcap" "src $left_inet" \
        >/dev/null 2>"$work/tap.err"
    wait_for 10 grep -q "listening on" "$work/tap.err" || fail "tcpdump does not start"
    for scan in "-sS -p 60-100" "-sA -p 60-100" "-sF -p 60-100" "-sN -p 60-100" "-sX -p 60-100" \
        "-sM -p 60-100" "-sU -p 50-60" "-sO -p 2-5,47,50,132"; do
        # shellcheck disable=SC2086
        in_left nmap -n -Pn -T5 --max-retries 0 $scan $inside_inet >/dev/null 2>&1 &
        scans+=($!)
    done
    wait "${scans[@]}"
    in_left ping -q -c 1 -W 2 $inside_inet >/dev/null 2>&1
    # The ping is the last that comes.
    wait_for 5 bash -c "tcpdump -n -r '$work/inside.pcap' icmp 2>/dev/null | grep -q request"
    kill "$started"
    wait "$started" 2>/dev/null
    echo "leaks: $(tcpdump -n -q -r "$work/inside.pcap" 2>/dev/null |
        sed 's/.* > \(198[0-9.]*\): \([A-Za-z]*\).*/\1 \2/; s/ tcp$//' | sort -u | tr '\n' ';')"
}

# What all of it has to come to. Scans see no more than the rules say; an ACK passes to a port that
# is open to everyone, and is answered by a reset.
cat >"$work/expected" <<END
web from outside: 3000000
web from outside, IPv6: 3000000
web inside from outside: 3000000
another port from outside: 0
another port inside from outside: 0
web from here: 3000000
web from inside: 3000000
web from inside, IPv6: 3000000
iperf3 from inside: data
iperf3 to inside, reverse: data
iperf3 from outside: data
iperf3 from outside, reverse: data
iperf3 UDP from inside: data
iperf3 UDP to inside, reverse: data
iperf3 from outside to inside:
DNS from outside: 192.0.2.77
DNS from outside over TCP:
DNS from inside: 192.0.2.99
DNS from inside over TCP: 192.0.2.99
ping from inside: 5
ping from inside, IPv6: 5
ping from outside: 5
fragments from inside: 5
fragments from outside: 5
fragments from inside, IPv6: 5
fragments from outside, IPv6: 5
traceroute by UDP: 1 198.51.100.1 2 $left_inet 3 $away_inet
traceroute by UDP, IPv6: 1 2001:db8:b::1 2 $left_inet6 3 $away_inet6
traceroute by ICMP: 1 198.51.100.1 2 $left_inet 3 $away_inet
traceroute by TCP: 1 198.51.100.1 2 $left_inet 3 $away_inet
traceroute from outside: 1 203.0.113.1 2 * 3 * 4 * 5 *
path MTU: mtu1300
path MTU, IPv6: mtu1300
closed port outside: 0
UDP to a closed port outside: ConnectionRefusedError
nmap -sS: 53/filtered/tcp 79/filtered/tcp 80/open/tcp 81/filtered/tcp 82/filtered/tcp 5201/open/tcp
nmap -sA: 53/filtered/tcp 79/filtered/tcp 80/unfiltered/tcp 81/filtered/tcp 82/filtered/tcp 5201/unfiltered/tcp
nmap -sF: $(printf '%s/open|filtered/tcp ' 53 79 80 81 82)5201/open|filtered/tcp
nmap -sN: $(printf '%s/open|filtered/tcp ' 53 79 80 81 82)5201/open|filtered/tcp
nmap -sX: $(printf '%s/open|filtered/tcp ' 53 79 80 81 82)5201/open|filtered/tcp
nmap -sM: 53/open|filtered/tcp 79/open|filtered/tcp 80/closed/tcp 81/open|filtered/tcp 82/open|filtered/tcp 5201/closed/tcp
nmap -sU: 53/open/udp 54/open|filtered/udp
nmap -sS inside: 22/filtered/tcp 79/filtered/tcp 80/open/tcp 81/filtered/tcp
nmap -sS from port 80: 80/open/tcp 81/filtered/tcp
nmap -sS from port 53, UDP: 54/open|filtered/udp 55/open|filtered/udp
leaks: $inside_inet ICMP;$inside_inet.80;
END

judge() { # NAME: a scanner that got no time on a busy machine may try once more
    local number tries=() turn
    for turn in 1 2; do
        number=0
        rm -f "$work"/try-*
        scenarios
        settle
        { cat "$work"/try-* && leaks; } | sed 's/ *$//' >"$work/$1.out"
        cmp -s "$work/expected" "$work/$1.out" && return
    done
    diff "$work/expected" "$work/$1.out"
    fail "$1: another outcome (turn $turn)"
}

nft_rules | nft_start
judge nft
nft_stop
fw apply "$work/fw.conf" 2>"$work/err" || fail "apply: $(cat "$work/err")"
judge fwctl

# Flows of all these kinds are listed, and count for the rule that recorded them.
in_away bash -c "fetch http://$right_inet/file" >/dev/null
in_away "$ask" dns $right_inet test.example >/dev/null
fw flows --json >"$work/flows.json" || fail "flows"
/usr/bin/python3 - "$work/flows.json" <<'END' || fail "flows --json: $(head -c 2000 "$work/flows.json")"
import json, sys
flows = json.load(open(sys.argv[1]))
web = [f for f in flows if f["rule"] == "web"]
assert web and all(f["to"]["port"] in (80, 5201) and f["hook"] == "ingress" for f in web), web
assert any(f["packets_back"] > 100 and f["bytes_back"] > 3000000 for f in web)
assert any(f["protocol"] == "udp" and f["to"]["port"] == 53 and f["packets_back"] == 1 for f in flows)
assert any(":" in f["from"]["address"] for f in flows)
assert all(f["interface"] == "fw0" for f in flows)
END
[ "$(fw flows count tcp to $right_inet port 80 state half-open)" -ge 0 ] || fail "flows count"
exit 0
