# shellcheck shell=bash
# Sourced by the other scripts: where things are, and a home for tools on machines where the user has none.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT" || exit

# uv, pip and npm keep caches below the home folder; service users often have one that does not exist.
if [ ! -d "${HOME:-}" ] || [ ! -w "$HOME" ]; then
    export HOME="$ROOT/.tools/home"
    mkdir -p "$HOME"
fi

say() { printf '\n== %s\n' "$*"; }

fail() {
    printf '\n' >&2
    printf '%s\n' "$@" >&2
    exit 1
}

# Installs Debian packages as root or through sudo; answers 1 where neither is possible.
install_debian_packages() {
    local as_root=()
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" -ne 0 ]; then
        sudo --non-interactive true 2>/dev/null || return 1
        as_root=(sudo --non-interactive)
    fi
    # Another run may be installing at this moment: wait for its lock.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
}
