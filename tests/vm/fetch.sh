#!/usr/bin/env bash
# Fetches and unpacks a Debian kernel without touching the system's own package lists:
#     fetch.sh SUITE CACHE      prints the folder that then holds boot/vmlinuz-* and lib/modules/
# SUITE is bookworm, trixie or sid. Packages are cloud kernels: small, with virtio and veth.
set -eu

suite=$1 cache=$2
dir=$cache/$suite
if [ -e "$dir/done" ]; then
    echo "$dir"
    exit 0
fi

# The mirror that this machine uses already.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
    grep -v -e security -e backports | head -n 1)
[ -n "$mirror" ] || mirror=http://deb.debian.org/debian

rm -rf "$dir"
mkdir -p "$dir/lists/partial" "$dir/archives/partial"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keys] $mirror $suite main" > "$dir/sources.list"
apt_here() {
    local command=$1
    shift
    "$command" -qq -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::Lists="$dir/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
        -o Dir::Cache::archives="$dir/archives" -o APT::Get::List-Cleanup=false \
        -o APT::Sandbox::User=root -o Acquire::Languages=none -o APT::Architectures=amd64 "$@"
}
apt_here apt-get update >&2
depends() {
    apt_here apt-cache show "$1" | sed -n 's/^\(Pre-\)\?Depends: //p' | head -n 1 |
        grep -oE "linux-(image|modules|binary)-[0-9][^ ,]*" || true
}
package=$(depends linux-image-cloud-amd64 | head -n 1)
[ -n "$package" ] || {
    echo "no cloud kernel in $suite" >&2
    exit 1
}
# Newer suites keep the kernel or its modules in packages that the image depends on.
mapfile -t packages < <(depends "$package")
packages+=("$package")
(cd "$dir/archives" && apt_here apt-get download "${packages[@]}" >&2)
for archive in "$dir"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$archive" | tar -x -C "$dir" --exclude='./usr/share'
done
rm -rf "$dir/lists" "$dir/archives"
touch "$dir/done"
echo "$dir"
