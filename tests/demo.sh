#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows fwctl at work and proves its counters: two network namespaces joined by a veth pair, rules
# applied, replaced under traffic, added and deleted, and at the end every packet that the kernel
# saw on the wire compared with what fwctl counted. Touches no interface of the host.
set -u
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/lib/netns.sh"

python=${PYTHON:-/usr/bin/python3}
dropped_out=0 # datagrams that the egress rules drop: no interface ever counts them

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

show() { # what is run, then its output
    printf '$ fwctl %s\n' "$*"
    fw "$@"
}

# Two namespaces whose link stays down on one side: not a packet flows before fwctl is attached.
namespaces_make() {
    work=$(mktemp -d)
    left=fwdemo-l$$ right=fwdemo-r$$
    pins=$work/bpf/fwctl
    trap netns_end EXIT
    trap 'exit 1' INT TERM
    mkdir "$work/bpf"
    mount -t bpf bpf "$work/bpf" || fail "cannot mount a bpf file system"
    ip netns add "$left" && ip netns add "$right" || fail "cannot make network namespaces"
    ip -n "$left" link add peer0 type veth peer name fw0 netns "$right" || fail "cannot make a veth"
    # One packet is one packet: the kernel's interface counters count a GSO packet once.
    ip -n "$left" link set peer0 gso_max_segs 1
    ip -n "$right" link set fw0 gso_max_segs 1
    ip -n "$right" addr add $right_inet/24 dev fw0
    ip -n "$right" addr add $right_inet6/64 dev fw0 nodad
    ip -n "$right" link set fw0 up
    ip -n "$left" addr add $left_inet/24 dev peer0
    ip -n "$left" addr add $left_inet6/64 dev peer0 nodad
}

rules_write() {
    cat > "$work/first.conf" <<RULES
interface fw0

set clients { $left_inet, $left_inet6 }

ingress default drop {
    pass  tcp from @clients to port 5201 label tcp-server
    pass  icmp type echo-request         label ping
    pass  icmp6 type echo-request        label ping6
    pass  udp to port 7000               label udp-good
    drop  udp to port 7001               label udp-bad
}

egress default pass {
    drop  udp to port 7002               label udp-out-bad
}
RULES
    cat > "$work/second.conf" <<RULES
interface fw0

ingress default drop {
    count inet6                          label ipv6
    drop  udp to port 7001               label udp-bad
    pass  udp to port 7000               label udp-good
    pass  tcp to port 5201 flags S/SA    label tcp-connections
    pass  tcp to port 5201               label tcp-server
    pass  icmp type echo-request         label ping
    pass  icmp6 type echo-request        label ping6
}

egress default pass {
    count icmp type echo-reply           label pong
    drop  udp to port 7002               label udp-out-bad
}
RULES
}

# A server that answers each connection with the number of bytes that came.
tcp_server() {
    nsenter --net="/run/netns/$right" "$python" -c '
import socket, threading

def serve(connection):
    count = 0
    while chunk := connection.recv(65536):
        count += len(chunk)
    connection.sendall(str(count).encode())
    connection.close()

listener = socket.create_server(("::", 5201), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
' >/dev/null 2>&1 &
    children+=($!)
}

# Sends for some seconds, then asks the server whether every byte came.
tcp_client() { # ADDRESS SECONDS
    exec nsenter --net="/run/netns/$left" "$python" -c '
import socket, sys, time
client = socket.create_connection((sys.argv[1], 5201), timeout=10)
end = time.monotonic() + float(sys.argv[2])
sent = 0
while time.monotonic() < end:
    client.sendall(b"x" * 65536)
    sent += 65536
    time.sleep(0.004)
client.shutdown(socket.SHUT_WR)
arrived = int(client.recv(64))
print(f"TCP to {sys.argv[1]}: {sent} bytes sent, {arrived} arrived")
sys.exit(arrived != sent)
' "$1" "$2"
}

datagrams() { # NAMESPACE COUNT ADDRESS PORT
    nsenter --net="/run/netns/$1" "$python" -c '
import socket, sys, time
count, address, port = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
kind = socket.AF_INET6 if ":" in address else socket.AF_INET
sender = socket.socket(kind, socket.SOCK_DGRAM)
sent = 0
while sent < count:
    try:
        sender.sendto(b"x" * 64, (address, port))
        sent += 1
        time.sleep(0.0005)
    except ConnectionRefusedError: # an ICMP error for an earlier one: this one was not sent
        pass
    except PermissionError: # TC dropped it on the way out: it was sent as far as we can tell
        sent += 1
' "$2" "$3" "$4" || fail "cannot send datagrams"
}

traffic() {
    in_left ping -q -i 0.01 -c 100 $right_inet >/dev/null || fail "no answer to IPv4 pings"
    in_left ping -q -i 0.01 -c 100 $right_inet6 >/dev/null || fail "no answer to IPv6 pings"
    (tcp_client $right_inet6 0.5) || fail "a TCP connection was cut"
    datagrams "$left" 300 $right_inet 7000
    datagrams "$left" 300 $right_inet6 7001
    datagrams "$right" 200 $left_inet 7002
    dropped_out=$((dropped_out + 200))
}

# The same rule file over and over, and rules added and deleted, while packets fly.
change_under_traffic() {
    local i
    show apply "$work/second.conf"
    show add --at 1 ingress count from $left_inet label from-left
    show add egress count to $left_inet6 label to-left6
    for i in 1 2 3 4 5 6 7 8 9 10; do
        fw -q add ingress drop tcp to port $((8000 + i)) label "extra-$i" || fail "add failed"
    done
    for i in 1 2 3 4 5 6 7 8 9 10; do
        fw -q delete "extra-$i" || fail "delete failed"
    done
    for i in 1 2 3 4 5; do
        fw -q apply "$work/first.conf" && fw -q apply "$work/second.conf" || fail "apply failed"
    done
    show delete ipv6
}

account() {
    fw stats --json > "$work/stats.json"
    fw status --json > "$work/status.json"
    "$python" - "$work/stats.json" "$work/status.json" "$(counted "$left" peer0 tx packets)" \
        "$(counted "$left" peer0 tx bytes)" "$(counted "$left" peer0 rx packets)" \
        "$(counted "$left" peer0 rx bytes)" $dropped_out <<'PYTHON'
import json, sys

stats = json.load(open(sys.argv[1]))
status = json.load(open(sys.argv[2]))
sent, sent_bytes, received, received_bytes, dropped_out = map(int, sys.argv[3:])
# With native XDP, veth counts what comes in behind the Ethernet header.
if any(a["hook"] == "ingress" and a["mode"] == "native" for a in status["attachments"]):
    sent_bytes += 14 * sent
wrong = []


def expect(what, counted, seen):
    if counted != seen:
        wrong.append(f"{what}: fwctl counted {counted}, the kernel saw {seen}")


def lines(hook, key):
    rules = sum(r[key] for r in stats["rules"] if r["hook"] == hook and r["action"] != "count")
    return rules + sum(r[key] for r in stats["reasons"] if r["hook"] == hook)


came, went = stats["hooks"]["ingress"], stats["hooks"]["egress"]
expect("packets in", came["packets"], sent)
expect("bytes in", came["bytes"], sent_bytes)
expect("packets in, line by line", lines("ingress", "packets"), sent)
expect("bytes in, line by line", lines("ingress", "bytes"), sent_bytes)
expect("packets out that passed", went["pass"], received)
expect("bytes out that passed", went["pass_bytes"], received_bytes)
expect("packets out that were dropped", went["drop"], dropped_out)
expect("packets out, line by line", lines("egress", "packets"), received + dropped_out)
for line in wrong:
    print(line)
if wrong:
    print("NOT all packets are accounted for")
    sys.exit(1)
print(f"all packets are accounted for: {sent} in and {received + dropped_out} out on the wire, "
      f"{came['packets']} and {went['packets']} counted by rules and reasons")
PYTHON
}

[ "$(id -u)" -eq 0 ] || fail "the demo makes network namespaces: run it as root (sudo make demo)"
[ -x "$fwctl" ] || fail "$fwctl is not built: run make"

say "Two namespaces: a peer on the left, fwctl on interface fw0 on the right"
namespaces_make
rules_write
sed 's/^/    /' "$work/first.conf"
show apply "$work/first.conf" || fail "the rules were not applied"
ip -n "$left" link set peer0 up
wait_for 5 in_left ping -q -c 1 -W 1 $right_inet6 || fail "the namespaces do not reach each other"

say "Traffic, both ways, IPv4 and IPv6; a TCP stream goes on through everything that follows"
tcp_server
wait_for 5 in_right sh -c 'ss -Hltn | grep -q :5201' || fail "the TCP server does not come up"
tcp_client $right_inet 9 > "$work/stream" 2>&1 &
stream=$!
children+=("$stream")
traffic

say "Rules replaced, added and deleted under traffic"
change_under_traffic
traffic
wait "$stream" || { cat "$work/stream"; fail "the TCP stream was cut"; }
cat "$work/stream"

say "What runs, and what every rule did"
show list
show status
# Nothing may be on its way while it is counted.
quiet() { local now; now=$(counted "$left" peer0 tx packets); sleep 0.3; [ "$now" = "$(counted "$left" peer0 tx packets)" ]; }
wait_for 10 quiet
show stats
echo
account
