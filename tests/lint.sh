#!/usr/bin/env bash
# The house's rules, each checked by a tool where that is installed. Says what it skips.
set -u
cd "$(dirname "$0")/.." || exit 1
CLANG=${CLANG:-clang-14}
failed=0

mapfile -t C_FILES < <(git ls-files '*.c' '*.h')
mapfile -t USER_C < <(git ls-files 'ctl/*.c' 'ctl/**/*.c')
mapfile -t SCRIPTS < <(git ls-files | xargs grep -lE '^#!.*\b(ba)?sh\b' -- 2>/dev/null)
read -ra LIBRARY_FLAGS <<<"$(pkg-config --cflags libbpf libxdp libnl-3.0 libnl-route-3.0 jansson libpcap)"
FLAGS=(-std=gnu11 -D_GNU_SOURCE '-DFWCTL_VERSION="0"' -Iinclude -Ictl -Ibuild "${LIBRARY_FLAGS[@]}")

step() {
    local name=$1
    shift
    if "$@"; then
        printf '  ok       %s\n' "$name"
    else
        printf '  FAILED   %s\n' "$name"
        failed=1
    fi
}

has() {
    command -v "$1" >/dev/null || { printf '  skipped  %s is not installed\n' "$1"; return 1; }
}

block_comments() {
    ! grep -nE '(^|[;{}[:space:]])//' "${C_FILES[@]}" | grep -vE ':1:// SPDX|://'
}

spdx_heads() {
    local file bad=0
    for file in "${C_FILES[@]}"; do
        head -n 1 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' ||
            { echo "$file: no SPDX head"; bad=1; }
    done
    return $bad
}

# Each folder of ctl/ may know only those before it (docs/architecture.md).
folder_order() {
    local -A before=(
        [base]="base"
        [language]="base language"
        [analysis]="base language analysis"
        [compiler]="base language compiler"
        [dataplane]="base language dataplane"
    )
    local folder bad=0
    for folder in "${!before[@]}"; do
        if grep -nE '^#include "(base|language|analysis|compiler|dataplane|commands)/' \
            "ctl/$folder"/*.[ch] | grep -vE "\"(${before[$folder]// /|})/"; then
            bad=1
        fi
    done
    return $bad
}

# libbpf, libxdp and libnl are the data plane's affair.
kernel_libraries() {
    ! grep -nE '^#include <(bpf|xdp|netlink)/' ctl/*.c ctl/{base,language,analysis,compiler,commands}/*.[ch]
}

headers_alone() {
    local header bad=0
    for header in $(git ls-files 'include/fw/*.h' 'ctl/*.h' 'ctl/**/*.h'); do
        case $header in *.bpf.h) continue ;; esac
        gcc "${FLAGS[@]}" -fsyntax-only -x c "$header" || { echo "$header does not stand alone"; bad=1; }
    done
    for header in $(git ls-files 'include/fw/*.h'); do
        case $header in *.bpf.h) continue ;; esac
        "$CLANG" -target bpf -Iinclude -idirafter "/usr/include/$(uname -m)-linux-gnu" \
            -fsyntax-only -x c "$header" || { echo "$header does not stand alone for BPF"; bad=1; }
    done
    return $bad
}

tidy() {
    printf '%s\0' "${USER_C[@]}" | xargs -0 -P "$(nproc)" -n 4 sh -c '
        out=$(clang-tidy-14 --quiet "$@" -- '"${FLAGS[*]@Q}"' 2>/dev/null) || { echo "$out"; exit 1; }' sh
}

manuals() {
    local output
    output=$(mandoc -T lint docs/man/*.[1-9] 2>/dev/null | grep -v "referenced manual not found")
    [ -z "$output" ] || { echo "$output"; return 1; }
}

step 'every C file names its licence' spdx_heads
step 'no // comments' block_comments
step 'folders know only those before them' folder_order
step 'kernel libraries stay in the data plane' kernel_libraries
step 'headers stand alone' headers_alone
has clang-format-14 && step 'clang-format' clang-format-14 --dry-run --Werror "${C_FILES[@]}"
has clang-tidy-14 && step 'clang-tidy' tidy
has cppcheck && step 'cppcheck' cppcheck --quiet --error-exitcode=1 --inline-suppr \
    --enable=warning,performance,portability --suppress=missingIncludeSystem \
    --suppress=unknownMacro --suppress=zerodivcond --suppress=uninitvar --suppress=unknownEvaluationOrder -j "$(nproc)" -D_GNU_SOURCE -Iinclude -Ictl "${USER_C[@]}"
has shellcheck && step 'shellcheck' shellcheck -x -P SCRIPTDIR -S warning "${SCRIPTS[@]}"
has mandoc && step 'mandoc -T lint' manuals
exit $failed
