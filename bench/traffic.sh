#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a packet pays at a filter that drops it, or lets it pass, by the number of rules: live frames
# over veth on one core, all filters side by side. A line of JSON each. As root:
#	[FILTERS="plain-drop plain-pass ..."] bench/traffic.sh ingress|egress [RULES...]
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=bench/filters.sh
. "$(dirname "$0")/filters.sh"
hook=${1:-ingress}
shift
[ $# -gt 0 ] || set -- 1 10 100 1000 10000
filters=(plain-drop plain-pass fwctl nft-linear nft-hash nft-concat nft-interval)
[ "$hook" = egress ] || filters+=(ipset xdp-filter)
[ -z "${FILTERS:-}" ] || read -ra filters <<<"$FILTERS"

senders_write() { # COUNT: hits and misses, one packet and many, into files
    rules_write "$1" "$work/rules"
    tail -n 1 "$work/rules" >"$work/drop.constant"
    echo "10.101.1.1 9" >"$work/pass.constant"
    awk -v count="$1" 'BEGIN { srand(1); for (n = 0; n < 65536; n++) { i = int(rand() * count)
        printf "10.100.%d.%d %d\n", int(i / 256), i % 256, 1024 + i } }' >"$work/drop.random"
    awk 'BEGIN { srand(2); for (n = 0; n < 65536; n++)
        printf "10.%d.%d.%d %d\n", 101 + rand() * 100, rand() * 256, rand() * 256, rand() * 65536 }' \
        >"$work/pass.random"
}

measure() { # COUNT drop|pass constant|random
    local filters=("${standing[@]}")
    [ "$2" = drop ] && filters=("${filters[@]/plain-pass/}")
    [ "$2" = pass ] && filters=("${filters[@]/plain-drop/}")
    # shellcheck disable=SC2068 # the names that were taken out are empty
    flood "$work/$2.$3" ${filters[@]} |
        sed "s/^{/{\"hook\":\"$hook\",\"verdict\":\"$2\",\"packets\":\"$3\",\"rules\":$1,/"
}

bench_start
for count in "$@"; do
    senders_write "$count"
    for filter in "${filters[@]}"; do
        if filter_make "$filter" "$hook" "$work/rules" &&
            filter_verify "$filter" "$hook" "$work/drop.random" "$work/pass.random"; then
            standing+=("$filter")
            echo "{\"hook\":\"$hook\",\"rules\":$count,\"link\":\"$filter\",\"load_ms\":$load_ms}"
        else
            echo "{\"hook\":\"$hook\",\"rules\":$count,\"link\":\"$filter\",\"rejected\":true}"
        fi
    done
    for verdict in drop pass; do
        measure "$count" $verdict constant
        measure "$count" $verdict random
    done
    setup_drop "${setups[@]}"
done
