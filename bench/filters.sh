# shellcheck shell=bash disable=SC2034,SC2154 # names are shared with lib.sh and the scripts
# SPDX-License-Identifier: GPL-2.0-only
#
# The same rules for each filter. Rule i drops UDP from host i of 10.100.0.0/16 to port 1024 + i; it
# stands as "ADDRESS PORT" in a file. filter_NAME HOOK FILE puts them into force in the set-up NAME.

rules_write() { # COUNT FILE
    awk -v count="$1" 'BEGIN { for (i = 0; i < count; i++)
        printf "10.100.%d.%d %d\n", int(i / 256), i % 256, 1024 + i }' >"$2"
}

filter_fwctl() {
    local link=fw0
    [ "$1" = ingress ] || link=out0
    {
        echo "interface $link"
        echo "$1 default pass {"
        awk '{ printf "drop udp from %s to port %s\n", $1, $2 }' "$2"
        echo "}"
    } >"$work/fwctl.conf"
    fw_setup fwctl -q apply "$work/fwctl.conf"
}

# xdp-filter has addresses or ports, not both in one rule; and it wants a process for each, so the
# rest goes into its map.
filter_xdp-filter() {
    local map=/sys/fs/bpf/xdp-filter/filter_ipv4
    tr . ' ' <"$2" | awk -v map=$map '{ print "map update pinned", map, "key", $1, $2, $3, $4,
        "value 1 0 0 0 0 0 0 0" }' >"$work/xdp-filter.batch"
    # shellcheck disable=SC2016
    in_setup xdp-filter unshare -m bash -c 'mount -t bpf bpf /sys/fs/bpf &&
        xdp-filter load -p allow -f ipv4 -m native fw0 && bpftool batch file "$0"' \
        "$work/xdp-filter.batch" >/dev/null
}

nft_start() { # HOOK: the head of a chain on the set-up's interface
    local link=fw0
    [ "$1" = ingress ] || link=out0
    echo "table netdev b {"
    [ -z "${2:-}" ] || echo "$2"
    echo "chain c { type filter hook $1 device $link priority 0"
}
nft_end() { printf '}\n}\n'; }
nft_elements() { # FILE, a line each
    sed 's/ / . /; s/$/,/' "$1"
}

filter_nft-linear() {
    { nft_start "$1"
      awk '{ printf "ip saddr %s udp dport %s counter drop\n", $1, $2 }' "$2"; nft_end; } |
        in_setup nft-linear nft -f -
}

filter_nft-hash() {
    { nft_start "$1" "set s { type ipv4_addr . inet_service; elements = { $(nft_elements "$2") }; }"
      echo "ip saddr . udp dport @s counter drop"; nft_end; } | in_setup nft-hash nft -f -
}

# Intervals of two fields.
filter_nft-concat() {
    { nft_start "$1" "set s { type ipv4_addr . inet_service; flags interval; elements = { $(nft_elements "$2") }; }"
      echo "ip saddr . udp dport @s counter drop"; nft_end; } | in_setup nft-concat nft -f -
}

# Intervals of addresses, whatever the port.
filter_nft-interval() {
    { nft_start "$1" "set s { type ipv4_addr; flags interval; elements = { $(sed 's/ .*/,/' "$2") }; }"
      echo "ip saddr @s counter drop"; nft_end; } | in_setup nft-interval nft -f -
}

filter_ipset() {
    { echo "create s hash:ip,port maxelem 100000"; sed 's/^/add s /; s/ \([0-9]*\)$/,udp:\1/' "$2"; } |
        in_setup ipset ipset restore &&
        in_setup ipset iptables-legacy -t raw -A PREROUTING -m set --match-set s src,dst -j DROP
}

# Plain programs, for what is left when a filter costs nothing.
filter_plain-drop() { # HOOK
    if [ "$1" = ingress ]; then
        xdp_plain plain-drop xdp_drop
    else
        tc -n "$(space plain-drop)" qdisc add dev out0 clsact &&
            tc -n "$(space plain-drop)" filter add dev out0 egress bpf direct-action \
                object-file "$plain" program tc_drop
    fi
}
filter_plain-pass() { :; }

# A filter of its own XDP program, or one that is met later.
takes_xdp() { case $1 in plain-drop | fwctl | xdp-filter) ;; *) false ;; esac; }

# Makes the set-up NAME and fills it; tells how long filling took.
filter_make() { # NAME HOOK FILE
    local name=$1 hook=$2 begin
    setup_make "$name"
    if [ "$hook" = egress ]; then
        redirect_out "$name" || fail "cannot redirect"
    elif ! takes_xdp "$name"; then
        xdp_plain "$name" xdp_pass || fail "cannot attach xdp_pass"
    fi
    begin=$(date +%s%N)
    "filter_$name" "$hook" "$3" || { note "$name: cannot take the rules"; return 1; }
    load_ms=$((($(date +%s%N) - begin) / 1000000))
}

# How many packets came through the filter, of those that SENDERS names.
passed() { # NAME HOOK SENDERS PACKETS
    local name=$1
    if [ "$2" = egress ]; then
        local before
        before=$(dropped_at_out "$name")
        flood --turns 1 --packets "$4" "$3" "$name" >/dev/null || return
        echo $(($(dropped_at_out "$name") - before))
        return
    fi
    passed_in "$name" "$3" "$4"
}
dropped_at_out() { counted "$(space "$1")" out0 tx dropped; }

# Every packet of HITS must be dropped and every one of MISSES must pass, or it is not measured.
filter_verify() { # NAME HOOK HITS MISSES
    local hits misses
    case $1 in plain-*) return ;; esac
    hits=$(passed "$1" "$2" "$3" 640) && misses=$(passed "$1" "$2" "$4" 640) &&
        [ "$hits" = 0 ] && [ "$misses" = 640 ] && return
    note "$1: rejected: of 640 packets to drop $hits passed, of 640 to pass $misses did"
    return 1
}
