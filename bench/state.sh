#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What state costs: a packet of a recorded flow by the number of flows, and one that begins a flow,
# beside nft with conntrack; live frames over veth on one core, all in one run, a line of JSON each.
# What passes is forwarded into a link that takes nothing. conntrack is asked up to the host's
# nf_conntrack_max. As root:
#	bench/state.sh [FLOWS...]
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
[ $# -gt 0 ] || set -- 1000 100000 1000000
rounds=7 largest=65536
most_tracked=$(sysctl -n net.netfilter.nf_conntrack_max 2>/dev/null || echo 0)

# 65,536 packets of COUNT flows, picked at random; or every flow once, from flow FIRST on.
senders_random() { # COUNT FILE
    awk -v count="$1" 'BEGIN { srand(3); for (n = 0; n < 65536; n++) { i = int(rand() * count)
        printf "10.%d.%d.%d %d\n", int(i / 65536), int(i / 256) % 256, i % 256, 1024 + i % 60000 } }' >"$2"
}
senders_each() { # FIRST COUNT FILE
    awk -v first="$1" -v count="$2" 'BEGIN { for (i = first; i < first + count; i++)
        printf "10.%d.%d.%d %d\n", int(i / 65536), int(i / 256) % 256, i % 256, 1024 + i % 60000 }' >"$3"
}

forward_make() { # NAME: forwards what comes in, instead of the blackhole
    setup_make "$1"
    ip -n "$(space "$1")" link set out1 up
    ip -n "$(space "$1")" route replace 198.18.0.0/15 dev out0
    # By the address that the frame has already: it is sent again as it comes back.
    ip -n "$(space "$1")" neigh replace 198.18.0.1 lladdr 02:00:00:00:00:02 nud permanent dev out0
    # At the other end all of it ends at once.
    ip -n "$(space "$1")" link set out1 xdp object "$plain" program xdp_drop
    case $1 in fwctl*) ;; *) xdp_plain "$1" xdp_pass ;; esac
}
fwctl_make() { # NAME RULE...
    printf 'interface fw0\noption flows 1048576\noption timeout udp-unreplied 1h\ningress default drop {\n%s\n}\n' \
        "$(printf '    %s\n' "${@:2}")" >"$work/$1.conf"
    fw_setup "$1" -q apply "$work/$1.conf" 2>/dev/null || fail "$1: apply"
}
nft_make() { # NAME RULE...
    in_setup "$1" nft "table ip b { chain c { type filter hook prerouting priority 0; policy drop; $2; }; }" ||
        fail "$1: nft"
    in_setup "$1" sysctl -qw net.netfilter.nf_conntrack_udp_timeout=3600 2>/dev/null
}
bench_start
for name in plain fwctl-plain fwctl-state nft-plain nft-state; do forward_make $name; done
fwctl_make fwctl-plain "pass udp"
fwctl_make fwctl-state "pass state established label known" "pass udp keep state label begun"
nft_make nft-plain "meta l4proto udp accept"
nft_make nft-state "ct state established accept; meta l4proto udp accept"

known() { fw_setup fwctl-state stats --json | grep -A8 '"known"' | sed -n 's/.*"packets": \([0-9]*\).*/\1/p' | head -n 1; }
for flows in "$@"; do
    links=(plain fwctl-plain fwctl-state nft-plain)
    fw_setup fwctl-state -q flows flush
    "$fwbench" state "$work/bpf/fwctl-state" "$flows" || fail "cannot fill"
    if [ "$flows" -le "$most_tracked" ]; then
        links+=(nft-state)
        in_setup nft-state conntrack -F 2>/dev/null
        for ((at = 0; at < flows; at += largest)); do
            count=$((flows - at < largest ? flows - at : largest))
            senders_each $at $count "$work/each"
            flood --turns 1 --packets $count "$work/each" nft-state >/dev/null
        done
        tracked=$(in_setup nft-state conntrack -C)
        [ "$tracked" -ge "$flows" ] || note "nft tracks $tracked of $flows flows"
    fi
    senders_random "$flows" "$work/random"
    before=$(known)
    flood --turns $rounds "$work/random" "${links[@]}" | sed "s/^{/{\"flows\":$flows,/"
    [ "$(known)" -gt "$before" ] || fail "the packets were of no flow"
done

# Each packet begins a flow: the tables are emptied before each round.
senders_each 0 $largest "$work/each"
for _ in $(seq $rounds); do
    fw_setup fwctl-state -q flows flush
    in_setup nft-state conntrack -F 2>/dev/null
    flood --turns 1 --packets $largest "$work/each" plain fwctl-plain fwctl-state nft-plain nft-state
done >"$work/new"
[ "$(fw_setup fwctl-state flows count udp state half-open)" = $largest ] || fail "not all flows were recorded"
/usr/bin/python3 - "$work/new" <<'END'
import json, statistics, sys
rows = {}
for line in open(sys.argv[1]):
    row = json.loads(line)
    rows.setdefault(row["link"], []).append(row.get("ns"))
for link, values in rows.items():
    if None in values:
        print(json.dumps({"new": True, "link": link, "rejected": True}))
    else:
        print(json.dumps({"new": True, "link": link, "least_ns": min(values), "ns": statistics.median(values)}))
END
