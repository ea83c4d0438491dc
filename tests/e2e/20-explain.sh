#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# fwctl explain says of every packet what the program in the kernel does with it, and finds in it
# what scapy finds: of the named packets, and of shared captures where they are.
set -u
fwctl=build/fwctl
python=${PYTHON:-/usr/bin/python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

cat >"$work/fw.conf" <<'END'
set hosts { 192.0.2.0/24, 2001:db8::/64 }
ingress default drop {
    drop  fragment                  label fragments
    count from @hosts               label hosts
    drop  vlan 7                    label vlan7
    pass  tcp flags S/SA to port 22 label syn
    pass  tcp from 192.0.2.0/28     label tcp
    pass  tcp from 2001:db8::/48    label tcp6
    drop  udp to port 53 ttl 64     label dns
    drop  on "wan*" to port 80      label wan
    pass  on { eth0, lan1 } udp from port 53 label answers
    drop  icmp type 3 code { 0, 1 } label unreachable
    pass  icmp type echo-request    label ping
    pass  icmp6 type { 128, 129 }   label ping6
    drop  vlan 5                    label vlan5
    pass  ttl 1-10                  label near
    drop  dscp ef                   label voice
    drop  length 0-29               label short
    drop  proto { 47, 50, 51 }      label tunnels
    pass  to port not 22            label ports
    drop  ethertype 0x88cc          label lldp
    pass  dmac 00:00:5e:00:53:02 inet6 label to-us
}
egress default pass {
    drop  fragment                  label fragments
    drop  tcp to not @hosts         label abroad
    count to @hosts                 label hosts
    pass  smac not 00:00:5e:00:53:01 label other
    drop  icmp6 type not echo-request label ping6
    drop  udp from port 1024-65535  label udp
}
END

kernel=()
if [ "$(id -u)" = 0 ]; then
    kernel=(--kernel)
fi

explained=0
explain() { # CAPTURE
    local hook
    for hook in ingress egress; do
        "$fwctl" explain --rules "$work/fw.conf" --pcap "$1" --hook $hook --json \
            "${kernel[@]}" >"$work/$hook" || fail "$1 on $hook"
    done
    explained=$((explained + $(wc -l <"$work/ingress")))
}

# The test can fail: another rule file must not give the same answers.
"$python" tests/lib/packets.py "$work/named.pcap" || fail "no named packets"
explain "$work/named.pcap"
"$python" tests/lib/second_opinion.py "$work/named.pcap" <"$work/ingress" || fail "scapy differs"
[ "$(grep -c '"reason":"' "$work/ingress")" -gt 30 ] || fail "malformed packets are not told"
if [ ${#kernel[@]} -gt 0 ]; then
    [ "$(grep -c '"kernel":"same"' "$work/ingress")" -gt 100 ] || fail "the kernel was not asked"
    [ "$(grep -c '"kernel":"same"' "$work/egress")" -gt 100 ] || fail "the kernel was not asked"
fi
sed 's/"text":"in tcp/"text":"in udp/' "$work/ingress" >"$work/wrong"
"$python" tests/lib/second_opinion.py "$work/named.pcap" <"$work/wrong" >/dev/null &&
    fail "the comparison cannot fail"

# Every match of the language but `state`: that is behind.
for match in on inet6 proto from to port flags type code fragment length ttl dscp vlan ethertype \
    smac dmac; do
    grep -qw -- "$match" "$work/fw.conf" || fail "no rule asks for $match"
done
# One packet as text: exit status, verdict, and what is wrong with another.
ask() {
    "$fwctl" explain --rules "$work/fw.conf" "${kernel[@]}" --packet "$1"
}
ask "in eth0 tcp 192.0.2.1:1234 > 198.51.100.1:22 flags S" | grep -q '^    pass: .*label syn$' ||
    fail "the packet does not pass by syn"
# A packet for each of the rules above, so that each match holds once, in the kernel too.
while read -r label packet; do
    ask "$packet" >"$work/answer" || fail "$packet: $(cat "$work/answer")"
    grep -q "label $label\$" "$work/answer" || fail "$packet is not for $label: $(cat "$work/answer")"
done <<'END'
fragments in eth0 udp 203.0.113.1 > 198.51.100.1 fragment
vlan7 in eth0 tcp 203.0.113.1:5 > 198.51.100.1:9 flags A vlan 7
tcp in eth0 tcp 192.0.2.15:5 > 198.51.100.1:80 flags A
tcp6 in eth0 tcp [2001:db8:0:9::1]:5 > [2001:db8::2]:80 flags A
dns in eth0 udp 203.0.113.1:5 > 198.51.100.1:53 ttl 64
wan in wan0 tcp 203.0.113.1:5 > 198.51.100.1:80 flags A
answers in lan1 udp 203.0.113.1:53 > 198.51.100.1:9
unreachable in eth0 icmp 203.0.113.1 > 198.51.100.1 type 3 code 1
ping6 in eth0 icmp6 2001:db8:1::1 > 2001:db8::2 type 129
near in eth0 tcp 203.0.113.1:5 > 198.51.100.1:22 flags A ttl 10
voice in eth0 tcp 203.0.113.1:5 > 198.51.100.1:22 flags A dscp 46
tunnels in eth0 gre 203.0.113.1 > 198.51.100.1 length 100
short in eth0 gre 203.0.113.1 > 198.51.100.1 length 29
ports in eth0 sctp 203.0.113.1:5 > 198.51.100.1:23
lldp in eth0 ethertype 0x88cc
to-us in eth0 icmp6 2001:db8:1::1 > 2001:db8::2 type 100 dmac 00:00:5e:00:53:02
END
# Flows: for each packet the kernel is given the flow that its text speaks of.
mv "$work/fw.conf" "$work/plain.conf"
cat >"$work/fw.conf" <<'END'
ingress default drop {
    pass state established label answers
    pass state related label errors
    pass tcp to port 22 keep state label ssh
    pass icmp keep state label icmp
}
egress default drop {
    pass state established label replies
    pass keep state label out
}
END
while read -r label recorded packet; do
    ask "$packet" >"$work/answer" || fail "$packet: $(cat "$work/answer")"
    grep -q "label $label\$" "$work/answer" || fail "$packet is not for $label: $(cat "$work/answer")"
    [ "$(grep -c "its flow is recorded" "$work/answer")" = "$recorded" ] || fail "$packet: $(cat "$work/answer")"
    [ ${#kernel[@]} -eq 0 ] || [ "$label" = errors ] ||
        grep -q "kernel: the program says pass, and counts it as $label" "$work/answer" || fail "$packet: $(cat "$work/answer")"
done <<'END'
answers 0 in eth0 tcp 192.0.2.15:22 > 198.51.100.1:80 flags A state established
answers 0 in eth0 udp [2001:db8::1]:53 > [2001:db8::2]:80 state established
answers 0 in eth0 icmp 192.0.2.1 > 198.51.100.1 type echo-reply state established
answers 0 in eth0 gre 192.0.2.1 > 198.51.100.1 state established
answers 0 in eth0 tcp 192.0.2.1 > 198.51.100.1 fragment state established
errors 0 in eth0 tcp 192.0.2.1 > 198.51.100.1 fragment state related
errors 0 in eth0 icmp 192.0.2.1 > 198.51.100.1 type time-exceeded state related
ssh 1 in eth0 tcp 192.0.2.1:5 > 198.51.100.1:22 flags S
ssh 0 in eth0 tcp 192.0.2.1:5 > 198.51.100.1:22 flags A
icmp 1 in eth0 icmp 192.0.2.1 > 198.51.100.1 type echo-request
icmp 0 in eth0 icmp 192.0.2.1 > 198.51.100.1 type echo-reply
replies 0 out eth0 tcp 192.0.2.1:22 > 198.51.100.1:5 flags SA state established
out 1 out eth0 udp 192.0.2.1:5 > 198.51.100.1:53
out 1 out eth0 esp 192.0.2.1 > 198.51.100.1
END
mv "$work/plain.conf" "$work/fw.conf"
ask "in eth0 tcp 192.0.2.1 > 198.51.100.1:22" 2>"$work/error"
[ $? = 2 ] || fail "a wrong packet is not exit status 2"
grep -q "both ends need a port" "$work/error" || fail "what is wrong is not told"
"$fwctl" explain --rules "$work/fw.conf" --pcap "$work/fw.conf" 2>"$work/error"
[ $? = 1 ] || fail "a file that is no capture is not exit status 1"

# Live sets hold what the file gives them, for the rules and for the program.
cat >"$work/live.conf" <<'END'
set banned live timeout 1h { 192.0.2.1, 198.51.100.0/24, 2001:db8::/48 }
set allowed live counters { 192.0.2.1-192.0.2.6 }
set empty live
ingress default pass {
    drop from not @allowed to @banned label both
    drop inet6 from @banned label six
    drop from { @banned, @empty } label banned
}
egress default drop {
    pass to @allowed label allowed
}
END
live() { # IDENTITY PACKET
    "$fwctl" explain --rules "$work/live.conf" --packet "$2" --json "${kernel[@]}" >"$work/out" ||
        fail "$2: $(cat "$work/out")"
    "$python" -c 'import json, sys
e = json.load(open(sys.argv[1]))
sys.exit(e["rule"] != sys.argv[2] or e.get("kernel", "same") != "same")' "$work/out" "$1" ||
        fail "$2 is not decided by $1: $(cat "$work/out")"
}
live banned "in eth0 udp 192.0.2.1:1 > 203.0.113.1:2"
live banned "in eth0 udp 198.51.100.77:1 > 203.0.113.1:2"
live both "in eth0 udp 203.0.113.1:1 > 192.0.2.1:2"
live six "in eth0 udp [2001:db8::5]:1 > [2001:db8:1::1]:2"
live default "in eth0 udp 192.0.2.4:1 > 192.0.2.1:2"
live allowed "out eth0 udp 203.0.113.1:1 > 192.0.2.6:2"
live default "out eth0 udp 203.0.113.1:1 > 192.0.2.7:2"

# libpcap and what it brings is loaded by nothing else, and its lack hurts nothing else.
mkdir "$work/none" && touch "$work/none/libpcap.so.0.8" "$work/none/libpcap.so.1"
LD_LIBRARY_PATH=$work/none "$fwctl" explain --rules "$work/fw.conf" --pcap "$work/named.pcap" \
    2>"$work/error"
[ $? = 1 ] || fail "captures without libpcap: not exit status 1"
grep -q "install the package libpcap" "$work/error" || fail "no word of what to install"
LD_LIBRARY_PATH=$work/none "$fwctl" check "$work/fw.conf" >/dev/null 2>&1 || fail "check needs libpcap"

captures=(../shared/data/pcaps/*/*.pcap*)
if [ -e "${captures[0]}" ]; then
    "$python" tests/lib/merge_captures.py "$work/shared.pcap" 12 "${captures[@]}" ||
        fail "the shared captures cannot be merged"
    explain "$work/shared.pcap"
    "$python" tests/lib/second_opinion.py "$work/shared.pcap" <"$work/ingress" ||
        fail "scapy differs"
fi
echo "$explained packets explained on both hooks"
