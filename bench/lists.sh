#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Lists of hundreds of thousands of addresses: what a packet pays that is in one or not, how long
# they take to load and how much memory they keep. A line of JSON each. As root:
#	bench/lists.sh [hosts|prefixes|both|million...]
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=bench/memory.sh
. "$(dirname "$0")/memory.sh"
hosts_file=$root/../shared/data/blocklists/romainmarcoux-malicious-ip-full.txt.gz
patience=60 # seconds that a filter may take to load

# Filters whose program must be there before the list: what counts is the list.
apply_before() { # NAME DEFAULT [SET]
    local from=198.51.100.1
    [ -z "${3:-}" ] || from=@list
    memory_run "$1" nsenter --net="/run/netns/$(space "$1")" "$fwctl" --pin-dir "$work/bpf/$1" -q \
        apply - <<<"interface fw0
            option essential off
            ${3:-}
            ingress default $2 { drop from $from }"
}
before_fwctl() { apply_before fwctl pass; }
before_fwctl-pass() { apply_before fwctl-pass pass; } # without a list
before_fwctl-drop() { apply_before fwctl-drop drop; }
before_fwctl-live() { apply_before fwctl-live pass "set list live size 2000000"; }
before_nft-hash() { xdp_plain nft-hash xdp_pass; }
before_nft-interval() { xdp_plain nft-interval xdp_pass; }
before_ipset() { xdp_plain ipset xdp_pass; }
before_plain-pass() { xdp_plain plain-pass xdp_pass; }
before_plain-drop() { xdp_plain plain-drop xdp_drop; }
before_trie() { :; }

fill_fwctl() {
    printf 'interface fw0\nset list file "list"\ningress default pass { drop from @list }\n' >"$work/list.conf"
    memory_run fwctl nsenter --net="/run/netns/$(space fwctl)" \
        "$fwctl" --pin-dir "$work/bpf/fwctl" -q apply "$work/list.conf"
}
fill_fwctl-live() {
    memory_run fwctl-live nsenter --net="/run/netns/$(space fwctl-live)" \
        "$fwctl" --pin-dir "$work/bpf/fwctl-live" -q set replace list "$work/list"
}
fill_nft() { # NAME FLAGS
    { printf 'table netdev b {\nset s { type ipv4_addr; %s elements = {\n' "$2"
      sed 's/$/,/' "$work/list"
      printf '} }\nchain c { type filter hook ingress device fw0 priority 0\nip saddr @s counter drop\n}\n}\n'
    } >"$work/list.nft"
    begin=$(date +%s%N)
    memory_run "$1" nsenter --net="/run/netns/$(space "$1")" timeout $patience nft -f "$work/list.nft"
}
fill_nft-hash() { fill_nft nft-hash ""; }
fill_nft-interval() { fill_nft nft-interval "flags interval;"; }
fill_ipset() {
    local kind=hash:ip
    grep -q / "$work/list" && kind=hash:net
    { echo "create s $kind maxelem 4000000"; sed 's/^/add s /' "$work/list"; } >"$work/list.ipset"
    begin=$(date +%s%N)
    in_setup ipset timeout $patience ipset restore -f "$work/list.ipset" &&
        in_setup ipset iptables-legacy -t raw -A PREROUTING -m set --match-set s src -j DROP
}
fill_trie() {
    memory_run trie nsenter --net="/run/netns/$(space trie)" "$fwbench" trie "$work/list" fw0
}

memory_kept() { # NAME
    case $1 in
    ipset) in_setup ipset ipset list s -t | sed -n 's/^Size in memory: //p' ;;
    *) memory_of "$1" ;;
    esac
}

list_make() { # CASE NAME
    local begin
    setup_make "$2"
    "before_$2" || fail "$2: cannot be set up"
    case $2 in plain-* | fwctl-pass | fwctl-drop) return ;; esac
    begin=$(date +%s%N)
    if "fill_$2"; then
        echo "{\"list\":\"$1\",\"link\":\"$2\",\"load_ms\":$((($(date +%s%N) - begin) / 1000000)),\"bytes\":$(memory_kept "$2")}"
    else
        echo "{\"list\":\"$1\",\"link\":\"$2\",\"rejected\":true}"
        return 1
    fi
}

list_verify() { # NAME
    local hits misses
    case $1 in plain-* | fwctl-pass | fwctl-drop) return ;; esac
    hits=$(passed_in "$1" "$work/hits" 65536) && misses=$(passed_in "$1" "$work/misses" 65536) &&
        [ "$hits" = 0 ] && [ "$misses" = 65536 ] && return
    note "$1: rejected: of 65536 in the list $hits passed, of 65536 not in it $misses did"
    return 1
}

measure() { # CASE hits|misses NAME...
    flood "$work/$2" "${@:3}" | sed "s/^{/{\"list\":\"$1\",\"packets\":\"$2\",/"
}

bench_start
trap 'bench_end; memory_end' EXIT
[ $# -gt 0 ] || set -- hosts prefixes both million
for case in "$@"; do
    "$root/bench/lists.py" "$work" "$case" "$hosts_file"
    filters=(plain-drop plain-pass fwctl-drop fwctl-pass fwctl fwctl-live nft-hash nft-interval ipset trie)
    grep -q / "$work/list" && filters=("${filters[@]/nft-hash/}")
    grep -q / "$work/list" || filters=("${filters[@]/nft-interval/}")
    # shellcheck disable=SC2068 # what was taken out is empty
    for filter in ${filters[@]}; do
        list_make "$case" "$filter" && list_verify "$filter" && standing+=("$filter")
    done
    # shellcheck disable=SC2068
    measure "$case" hits ${standing[@]/*-pass/}
    # shellcheck disable=SC2068
    measure "$case" misses ${standing[@]/*-drop/}
    setup_drop "${setups[@]}"
    memory_end
    umount "$work/bpf" && mount -t bpf bpf "$work/bpf" || fail "cannot start anew"
done
