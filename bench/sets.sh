#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Changing sets while they run: fwctl, nft and ipset side by side, then what a packet pays for a
# lookup (fwbench sets). A line of JSON each. What live packets pay: bench/lists.sh million.
# As root: bench/sets.sh [PREFIXES]
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
prefixes=${1:-200000}
hosts_file=$root/../shared/data/blocklists/romainmarcoux-malicious-ip-full.txt.gz

seconds() { # COMMAND...: wall time of one run
    local begin
    begin=$(date +%s%N)
    "$@" >/dev/null 2>"$work/err" || { echo null; return; }
    awk "BEGIN { printf \"%.3f\", ($(date +%s%N) - $begin) / 1e9 }"
}
row() { # WHAT ELEMENTS FWCTL NFT IPSET: seconds
    printf '{"what":"%s","elements":%d,"fwctl_s":%s,"nft_s":%s,"ipset_s":%s}\n' "$@"
}
nft_add() { # SET FILE: elements, in statements of 10,000
    awk -v set="$1" 'NR % 10000 == 1 { if (NR > 1) print " }"; printf "add element inet b %s {", set }
        { printf "%s %s", NR % 10000 == 1 ? "" : ",", $0 } END { print " }" }' "$2"
}
nft_do() { in_right nft "$@"; }
ipset_do() { in_right ipset -! "$@"; }

# hosts, prefixes; list, list2, of which one of a hundred differs
lists_write() {
    "$root/bench/lists.py" "$work" million && mv "$work/list" "$work/hosts"
    "$root/bench/lists.py" "$work" prefixes && head -n "$prefixes" "$work/list" >"$work/prefixes"
    "$root/bench/lists.py" "$work" hosts "$hosts_file"
    local set
    for set in h:hosts p:prefixes l:list; do
        nft_add "${set%:*}" "$work/${set#*:}" >"$work/${set#*:}.nft"
        sed "s/^/add ${set%:*} /" "$work/${set#*:}" >"$work/${set#*:}.ipset"
    done
    { echo "flush set inet b l"; nft_add l "$work/list2"; } >"$work/list2.nft"
    { echo "create l2 hash:ip maxelem 2000000"; sed 's/^/add l2 /' "$work/list2"
      echo "swap l l2"; echo "destroy l2"; } >"$work/list2.ipset"
}

sets_make() {
    fw -q apply - <<<"interface fw0
        set h live size 2000000
        set p live size 2000000
        set l live size 2000000
        option ban-set h
        ingress default pass {
            drop from @h
            drop from @p
            drop from @l
        }" || fail "fwctl cannot make sets"
    nft_do "table inet b {
        set h { type ipv4_addr; size 2000000; }
        set p { type ipv4_addr; flags interval; size 2000000; }
        set l { type ipv4_addr; size 2000000; }
    }" || fail "nft cannot make sets"
    ipset_do create h hash:ip maxelem 2000000 && ipset_do create p hash:net maxelem 2000000 &&
        ipset_do create l hash:ip maxelem 2000000 || fail "ipset cannot make sets"
}

change() { # WHAT FILE FWCTL...: with nft and ipset beside it
    row "$1" "$(wc -l <"$work/$2")" "$(seconds fw "${@:3}")" \
        "$(seconds nft_do -f "$work/$2.nft")" "$(seconds ipset_do restore -f "$work/$2.ipset")"
}

# Seconds of one process, begun in the namespace: COUNT of them, each with another address in place
# of ADDR.
per_process() { # COUNT COMMAND...
    # shellcheck disable=SC2016  # the shell inside expands
    in_right bash -c 'words=("${@:2}") begin=$(date +%s%N)
        for ((number = 1; number <= $1; number++)); do
            "${words[@]//ADDR/203.0.113.$number}" >/dev/null 2>&1 || { echo null; exit; }
        done
        awk "BEGIN { printf \"%.5f\", ($(date +%s%N) - $begin) / 1e9 / $1 }"' per_process "$@"
}

bench_start
lists_write
sets_make
change "add hosts" hosts set add h --file "$work/hosts"
change "add prefixes" prefixes set add p --file "$work/prefixes"
change "fill with a list" list set replace l "$work/list"
change "replace it, 1 % differs" list2 set replace l "$work/list2"
row "one host, a process" 1 "$(per_process 100 "$fwctl" --pin-dir "$pins" -q ban ADDR)" \
    "$(per_process 3 nft add element inet b h '{ ADDR }')" "$(per_process 100 ipset -! add h ADDR)"
none=$(per_process 100 /bin/true)
row "nothing, a process" 1 "$none" "$none" "$none"
"$fwbench" sets --json
