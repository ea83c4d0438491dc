#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Changing sets while they run: fwctl, nft and ipset side by side, each in the same network
# namespace, then what a packet pays (fwbench sets). As root: bench/sets.sh [HOSTS [PREFIXES]]
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../tests/lib/netns.sh"
netns_start
hosts=${1:-1000000} prefixes=${2:-200000}

seconds() { # COMMAND...: wall time of one run
    local start end
    start=$(date +%s%N)
    "$@" >/dev/null 2>"$work/err" || { echo "failed"; return; }
    end=$(date +%s%N)
    awk "BEGIN { printf \"%.3f\", ($end - $start) / 1e9 }"
}
row() { printf '%-44s %10s %10s %10s\n' "$@"; }
nft_file() { # SET FILE: elements, in statements of 10,000
    awk -v set="$1" 'NR % 10000 == 1 { if (NR > 1) print " }"; printf "add element inet b %s {", set }
        { printf "%s %s", NR % 10000 == 1 ? "" : ",", $0 } END { print " }" }' "$2"
}

/usr/bin/python3 - "$hosts" "$prefixes" "$work" <<'END'
import sys, ipaddress
hosts, prefixes, work = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
def host(i): return str(ipaddress.ip_address((i * 2654435761) % 2**32))
def prefix(i): return str(ipaddress.ip_address((i * 2654435761) % 2**24 << 8)) + "/24"
def write(name, items): open(f"{work}/{name}", "w").write("\n".join(items) + "\n")
write("hosts", (host(i) for i in range(1, hosts + 1)))
write("prefixes", (prefix(i) for i in range(1, prefixes + 1)))
END
list=$root/../shared/data/blocklists/romainmarcoux-malicious-ip-full.txt.gz
if [ -e "$list" ]; then
    zcat "$list" | grep -E '^[0-9.]+$' | sort -u >"$work/list"
else
    head -n 552293 "$work/hosts" >"$work/list"
fi
count=$(wc -l <"$work/list")
{ tail -n +$((count / 100 + 1)) "$work/list"; seq -f '240.1.%g' 0 0 | sed 's/$/.1/'; \
    tail -n $((count / 100)) "$work/hosts"; } | sort -u >"$work/list2"

printf 'interface fw0\nset h live size 2000000\nset p live size 2000000\nset l live size 2000000\noption ban-set h\ningress default pass {\n drop from @h\n drop from @p\n drop from @l\n}\n' >"$work/fw.conf"
fw -q apply "$work/fw.conf" || fail "apply"
in_right nft -f - <<END || fail "nft"
table inet b {
    set h { type ipv4_addr; size 2000000; }
    set p { type ipv4_addr; flags interval; size 2000000; }
    set l { type ipv4_addr; size 2000000; }
}
END
in_right ipset create h hash:ip maxelem 2000000 && in_right ipset create p hash:net maxelem 2000000 &&
    in_right ipset create l hash:ip maxelem 2000000 || fail "ipset"
for set in h:hosts p:prefixes l:list; do
    nft_file "${set%:*}" "$work/${set#*:}" >"$work/${set#*:}.nft"
    sed "s/^/add ${set%:*} /" "$work/${set#*:}" >"$work/${set#*:}.ipset"
done
{ echo "flush set inet b l"; nft_file l "$work/list2"; } >"$work/list2.nft"
{ echo "create l2 hash:ip maxelem 2000000"; sed 's/^/add l2 /' "$work/list2"; echo "swap l l2"; echo "destroy l2"; } >"$work/list2.ipset"

row "seconds" fwctl nft ipset
row "add $hosts hosts" "$(seconds fw set add h --file "$work/hosts")" \
    "$(seconds in_right nft -f "$work/hosts.nft")" "$(seconds in_right ipset restore -! -f "$work/hosts.ipset")"
row "add $prefixes prefixes" "$(seconds fw set add p --file "$work/prefixes")" \
    "$(seconds in_right nft -f "$work/prefixes.nft")" "$(seconds in_right ipset restore -! -f "$work/prefixes.ipset")"
row "fill with a list of $count" "$(seconds fw set replace l "$work/list")" \
    "$(seconds in_right nft -f "$work/list.nft")" "$(seconds in_right ipset restore -! -f "$work/list.ipset")"
row "replace it by one that differs in 1 %" "$(seconds fw set replace l "$work/list2")" \
    "$(seconds in_right nft -f "$work/list2.nft")" "$(seconds in_right ipset restore -! -f "$work/list2.ipset")"
each() { # COMMAND...: once for each of 200 addresses, which stands for ADDR
    local i
    for i in $(seq 200); do "${@//ADDR/203.0.113.$i}" || return; done
}
row "200 times one host, a process each" "$(seconds each fw -q ban ADDR)" \
    "$(seconds each in_right nft add element inet b h '{ ADDR }')" \
    "$(seconds each in_right ipset -! add h ADDR)"
row "200 times a process that does nothing" "$(seconds each in_right /bin/true)" "" ""
echo
[ -x "$root/build/fwbench" ] && "$root/build/fwbench" sets "$hosts"
exit 0
