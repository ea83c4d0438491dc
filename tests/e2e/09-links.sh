#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Frames that do not look like plain Ethernet to a hook: a VLAN tag that is kept beside the frame,
# headers outside the linear part of a buffer, frames of several buffers, an interface without
# link-layer headers.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

# What a VLAN interface on fw0 does: x0 tags what it sends, beside the frame, and hands it to fw0.
ip -n "$right" link add x0 type veth peer name x1
ip -n "$right" link set x0 up
ip -n "$right" addr add 198.51.100.2/24 dev x0
ip -n "$right" neigh replace 198.51.100.1 lladdr "$(mac "$left" peer0)" nud permanent dev x0
ip -n "$right" link set x1 up
in_right tc qdisc add dev x0 clsact
in_right tc filter add dev x0 egress bpf da object-file "$root/build/tests/e2e/tag.bpf.o" section tc ||
    fail "tag"
index=$(ip -n "$right" -j link show dev fw0 | sed 's/.*"ifindex":\([0-9]*\).*/\1/')
bpftool map update id "$(first_map "$(in_right tc filter show dev x0 egress | sed -n 's/.* id \([0-9]*\) .*/\1/p')")" \
    key 0 0 0 0 value $((index & 255)) $((index >> 8 & 255)) 0 0 || fail "tag_target"

cat >"$work/fw.conf" <<'END'
interface fw0
egress default pass {
    drop on fw0 vlan 5 udp to port 9      label tagged
    drop udp to port 9                    label untagged
}
END
fw -q apply "$work/fw.conf" || fail "apply"
in_right bash -c "for i in {1..7}; do echo x >/dev/udp/198.51.100.1/9; done"
in_right bash -c "for i in {1..5}; do echo x >/dev/udp/$left_inet/9; done"
[ "$(stat_of 'rule("egress", "tagged")')" = 7 ] || fail "a VLAN tag is not seen at egress"
[ "$(stat_of 'rule("egress", "untagged")')" = 5 ] || fail "a VLAN tag is seen where none is"
bytes=$(stat_of '[r["bytes"] for r in s["rules"] if r["label"] == "tagged"][0]')
[ "$bytes" = $((7 * (14 + 4 + 20 + 8 + 2))) ] || fail "tagged frames count $bytes bytes"

# Long frames: in XDP only the first buffer can be read, and a packet socket leaves TC no more than
# the link-layer header to read directly.
ip -n "$left" link set peer0 mtu 9000
ip -n "$right" link set fw0 mtu 9000
cat >"$work/long.conf" <<'END'
interface fw0
ingress default pass {
    drop udp to port 9      label long-in
}
egress default pass {
    drop udp to port 9      label long-out
}
END
fw -q apply "$work/long.conf" || fail "apply for long frames"
for length in 100 3000 5000 8000; do
    for side in left right; do
        [ $side = left ] && link=peer0 || link=fw0
        in_$side /usr/bin/python3 - $link $length <<'END' || fail "cannot send $length bytes"
import contextlib, socket, struct, sys
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind((sys.argv[1], 0))
size = int(sys.argv[2])
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size - 14, 0, 0, 64, 17, 0, bytes([192, 0, 2, 8]), bytes([192, 0, 2, 9]))
with contextlib.suppress(OSError):  # ENOBUFS tells that egress dropped it
    raw.send(b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + ip + struct.pack("!HHHH", 1, 9, size - 34, 0) + bytes(size - 42))
END
    done
done
for rule in ingress:long-in egress:long-out; do
    seen=$(stat_of "[(r['packets'], r['bytes']) for r in s['rules'] if r['label'] == '${rule#*:}'][0]")
    [ "$seen" = "(4, 16100)" ] || fail "4 frames of 16100 bytes count as $seen at ${rule%:*}: $(fw stats)"
done
fw -q down || fail "down"

# An interface without a link layer.
ip -n "$right" tuntap add dev tun0 mode tun || skip "no tun devices"
ip -n "$right" addr add 203.0.113.1/24 dev tun0
ip -n "$right" link set tun0 up
sed -e 's/interface fw0/interface tun0/' -e '/vlan/d' "$work/fw.conf" >"$work/tun.conf"
cat >>"$work/tun.conf" <<'END'
ingress default pass {
    drop udp to port 9  label in
}
END
cat >"$work/tun.py" <<'END'
import fcntl, os, struct, sys, time
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"tun0", 0x1001))  # TUNSETIFF, IFF_TUN | IFF_NO_PI
open(sys.argv[1] + "/tun", "w").close()
while not os.path.exists(sys.argv[1] + "/send"):
    time.sleep(0.01)
udp = struct.pack("!HHHH", 1, 9, 8, 0)
for _ in range(6):
    os.write(tun, struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, 17, 0,
                              bytes([203, 0, 113, 9]), bytes([203, 0, 113, 1])) + udp)
for _ in range(4):
    os.write(tun, struct.pack("!IHBB16s16s", 6 << 28, 8, 17, 64, b"\x20\x01" + bytes(14), b"\x20\x02" + bytes(14)) + udp)
time.sleep(60)
END
start_right /usr/bin/python3 "$work/tun.py" "$work"
wait_for 5 test -e "$work/tun" || fail "tun"
fw -q apply "$work/tun.conf" || fail "apply on tun0"
touch "$work/send"
seen() { [ "$(stat_of 'rule("ingress", "in")')" = 10 ]; }
wait_for 5 seen || fail "IP without a link layer is not read at ingress: $(fw stats)"
in_right bash -c "for i in {1..3}; do echo x >/dev/udp/203.0.113.7/9; done"
[ "$(stat_of 'rule("egress", "untagged")')" = 3 ] || fail "IP without a link layer at egress: $(fw stats)"
[ "$(stat_of 'reasons("egress") + reasons("ingress")')" = 0 ] || fail "malformed: $(fw stats)"
exit 0
