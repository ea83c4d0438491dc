#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots a Debian kernel under qemu (software emulation, so it works anywhere) and runs a command
# in the project's folder there, with the project as it is built now:
#     boot.sh SUITE 'COMMAND'           exit status: the command's, 125 if the guest never said
set -eu
PATH=$PATH:/usr/sbin:/sbin

suite=$1 command=$2
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
cache=${FWCTL_VM_CACHE:-/var/cache/fwctl-vm}
timeout=${FWCTL_VM_TIMEOUT:-900}

mkdir -p "$cache"
kernel=$("$here/fetch.sh" "$suite" "$cache")
rootfs=$("$here/rootfs.sh" "$cache")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The kernel's modules: what a network test may ask for.
image=$(find "$kernel" -name 'vmlinuz*' | head -n 1)
modules=$(find "$kernel" -mindepth 3 -type d -path "*lib/modules/*" -prune | head -n 1)
version=$(basename "$modules")
if [ ! -e "$kernel/modules.cpio" ]; then
    tree=$work/modules
    mkdir -p "$tree/usr/lib/modules/$version"
    (cd "$modules" && find . -type f ! -path '*/ethernet/*' ! -path '*/wireless/*' \
        \( -path './kernel/net/*' -o -path './kernel/lib/*' -o -path './kernel/crypto/*' \
        -o -path './kernel/drivers/net/*' -o -name 'modules.*' \) -print0 |
        cpio --quiet -0 -pdm "$tree/usr/lib/modules/$version")
    ln -s usr/lib "$tree/lib"
    depmod -b "$tree" "$version"
    rm "$tree/lib"
    (cd "$tree" && find usr -print0 | cpio --quiet -0 -o -H newc) > "$kernel/modules.cpio"
fi

# The project: the tests and what is built of them, no sources of fwctl.
mkdir -p "$work/root/project"
(cd "$project" && find tests config build/fwctl build/tests/prog build/tests/differential \
    build/tests/e2e -path tests/vm -prune -o -type f ! -name '*.d' ! -path '*/differential/*.o' \
    -print0 | cpio --quiet -0 -pdm "$work/root/project")
cp "$here/init" "$work/root/init"
printf '%s\n' "$command" > "$work/root/command"
(cd "$work/root" && find . -print0 | cpio --quiet -0 -o -H newc -R 0:0) > "$work/project.cpio"
cat "$rootfs" "$kernel/modules.cpio" "$work/project.cpio" > "$work/initrd"

# Always in software: nested virtualisation often is there and then hangs or fails. No cmpxchg16b:
# qemu 7.2 gets its flags wrong now and then, and the kernel's allocator dies of it.
run_guest() {
    timeout --foreground "$timeout" qemu-system-x86_64 -accel tcg,thread=single -cpu max,-cx16 \
        -smp 2 -m 2048 -nographic -no-reboot -nic none -kernel "$image" -initrd "$work/initrd" \
        -append 'console=ttyS0 quiet panic=-1 cryptomgr.notests rdinit=/init' </dev/null 2>&1 |
        sed -u 's/\r//g' | tee "$work/log" | sed -u -e '1,/^guest: started/d' \
        -e '/^guest: exit status /d' -e '/reboot: Power down/d' -e '/sysrq: Power Off/d' || true
}

# The emulator now and then loses a guest while it boots, before anything of ours has run.
for _ in 1 2 3; do
    run_guest
    if grep -q '^guest: started' "$work/log"; then
        status=$(sed -n 's/^guest: exit status \([0-9]*\).*/\1/p' "$work/log" | tail -n 1)
        exit "${status:-125}"
    fi
done
tail -n 20 "$work/log" >&2
echo "the guest ($suite) did not boot" >&2
exit 125
