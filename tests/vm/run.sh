#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The program and end-to-end tests in a guest with the kernel of one Debian suite, in software:
#     run.sh SUITE [TIER...]         exit status 77: the kernel or qemu cannot be had
# The last line is a note for tests/run.sh: the kernel's version, and what the runner there counted.
set -u
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
suite=$1
shift
tiers=("$@")
[ ${#tiers[@]} -gt 0 ] || tiers=(vm-prog-all vm-e2e-all)

skip() {
    echo "$1"
    exit 77
}

for tool in qemu-system-x86_64 cpio depmod apt-get; do
    command -v $tool >/dev/null || skip "there is no $tool"
done
[ "$(uname -m)" = x86_64 ] || skip "the guests are x86_64, this machine is $(uname -m)"

# Kernels are fetched once. Who may not write to the cache keeps them in the build.
cache=${FWCTL_VM_CACHE:-/var/cache/fwctl-vm}
mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || cache=$here/../../build/vm
mkdir -p "$cache" || skip "no folder to keep the kernel in"
cache=$(cd "$cache" && pwd)
export FWCTL_VM_CACHE=$cache FWCTL_VM_TIMEOUT=${FWCTL_VM_TIMEOUT:-1500}
"$here/fetch.sh" "$suite" "$cache" >&2 || skip "the kernel of $suite cannot be had: see above"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$here/boot.sh" "$suite" "uname -r
    FWCTL_TEST_STEPS=2000 MODES=auto SWITCHES=10 KILL_STRIDE=6 FWCTL_IN_VM=1 tests/run.sh ${tiers[*]}" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
echo "note: $(head -n 1 "$log"): $(grep -E '^[0-9]+ passed' "$log" | tail -n 1)"
exit "$status"
