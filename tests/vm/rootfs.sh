#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes the part of the guest's file system that all kernels share: the files of the Debian
# packages that our tests need, as this machine has them installed, in one uncompressed cpio
# archive (the kernel unpacks archives that stand one after the other into one tree):
#     rootfs.sh CACHE           prints the archive's path
set -eu

cache=$1
packages=(bash dash coreutils mount hostname util-linux iproute2 procps grep sed gawk mawk findutils kmod
    python3 python3-scapy iperf3 nftables bpftool iputils-ping tcpdump libbpf1 libxdp1 xdp-tools
    libnl-3-200 libnl-route-3-200 libjansson4 libpcap0.8 libcmocka0 libasan8 libubsan1
    isc-dhcp-client dnsmasq-base ethtool)

mapfile -t closure < <(apt-cache depends --recurse --installed --no-recommends --no-suggests \
    --no-conflicts --no-breaks --no-replaces --no-enhances "${packages[@]}" 2>/dev/null |
    grep '^[a-z]' | sort -u)
# Another list of packages or another way to make it is another archive.
versions=$({
    cat "$0"
    dpkg-query -W -f='${Package} ${Version} ${Status}\n' "${closure[@]}" 2>/dev/null |
        grep 'installed$'
} | sha256sum | cut -c 1-16)
archive=$cache/rootfs-$versions.cpio
if [ -e "$archive" ]; then
    echo "$archive"
    exit 0
fi

mkdir -p "$cache"
tree=$(mktemp -d "$cache/rootfs.XXXXXX")
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{proc,sys,dev,run,tmp,root,etc,var/lib,usr/{bin,sbin,lib,lib64,share}}
for link in bin sbin lib lib64; do
    ln -s "usr/$link" "$tree/$link"
done
# /lib and /usr/lib are one folder on a merged system; keep each file once, under its real name.
dpkg-query -L "${closure[@]}" 2>/dev/null | sort -u |
    grep -vE '^/usr/share/(doc|man|locale|info|lintian|perl|bash-completion|zoneinfo|gdb)|/perl|__pycache__|/test/|lib2to3' |
    while read -r file; do
        case $file in
        /bin/* | /sbin/* | /lib/* | /lib64/*) file=/usr$file ;;
        esac
        if [ -L "$file" ] || [ -f "$file" ]; then
            echo "${file#/}"
        fi
    done | sort -u | (cd / && cpio --quiet -o -H newc 2>/dev/null) |
    (cd "$tree" && cpio --quiet -idmu)
# Links of the alternatives system (awk) and the loader's cache are made at installation, they are
# not part of a package. The second line of what dpkg keeps of an alternative is its link.
for name in /etc/alternatives/*; do
    kept=/var/lib/dpkg/alternatives/${name##*/}
    target=$(readlink -f "$name") || continue
    if [ -e "$kept" ] && [ -e "$tree$target" ]; then
        link=$(sed -n 2p "$kept")
        ln -sf "$target" "$tree$link"
    fi
done
cp -a /etc/{passwd,group,protocols,services,nsswitch.conf,ld.so.conf,ld.so.conf.d} "$tree/etc/"
ldconfig -r "$tree"
(cd "$tree" && find . -print0 | cpio --quiet -0 -o -H newc) > "$archive.new"
for old in "$cache"/rootfs-*.cpio; do
    [ "$old" = "$archive" ] || rm -f "$old"
done
mv "$archive.new" "$archive"
echo "$archive"
