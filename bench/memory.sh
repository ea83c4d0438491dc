# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernel memory that a command leaves behind, as its memory cgroup is charged for it. What BPF maps
# and nft's elements take is charged; ipset's is not, which is asked itself.

memory_root=/sys/fs/cgroup
[ -d /sys/fs/cgroup/memory ] && memory_root=/sys/fs/cgroup/memory
memory_groups=()

memory_run() { # NAME COMMAND...: in a cgroup of its own
    local group=$memory_root/fwb-$1-$$
    [ -d "$group" ] || { mkdir "$group" && memory_groups+=("$group"); }
    (echo "$BASHPID" >"$group/cgroup.procs" && exec "${@:2}")
}

memory_of() { # NAME: bytes of the kernel's
    local group=$memory_root/fwb-$1-$$
    if [ -e "$group/memory.kmem.usage_in_bytes" ]; then
        cat "$group/memory.kmem.usage_in_bytes"
    else
        sed -n 's/^kernel //p' "$group/memory.stat"
    fi
}

memory_end() {
    [ ${#memory_groups[@]} -eq 0 ] || rmdir "${memory_groups[@]}"
    memory_groups=()
}
