# What the scripts share. Sourced, never run.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# Debian's: another one may be first on PATH. Used by the scripts that source this.
# shellcheck disable=SC2034
python=/usr/bin/python3

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "$0: this needs root, and there is no sudo; as root run: $*" >&2
		return 1
	fi
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 "$@" >/dev/null
}

# install_packages LIST...: what is missing of these lists of script/packages.
install_packages() {
	local missing=() list name
	while read -r list name _; do
		case " $* " in
		*" $list "*)
			dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
			;;
		esac
	done < <(grep -v '^#' script/packages)
	if [ ${#missing[@]} -gt 0 ]; then
		echo "installing: ${missing[*]}"
		apt update
		apt install -y --no-install-recommends "${missing[@]}"
	fi
}

# build DIR OPTION...: configure when needed, then build.
build() {
	local dir=$1
	shift
	if [ ! -f "$dir/build.ninja" ]; then
		meson setup "$dir" "$@" >/dev/null || { cat "$dir/meson-logs/meson-log.txt" >&2; return 1; }
	fi
	ninja -C "$dir"
}

# Cyrus excludes Dovecot as a package: its files are unpacked beside the build, and its libraries installed.
unpack_cyrus() {
	local into=build-servers/cyrus tmp
	[ -x "$into/usr/lib/cyrus/bin/httpd" ] && return
	install_packages cyrus
	tmp=$(mktemp -d)
	chmod 755 "$tmp"
	(cd "$tmp" && apt-get download -qq cyrus-imapd cyrus-common cyrus-caldav 2>/dev/null)
	mkdir -p "$into"
	for deb in "$tmp"/*.deb; do
		dpkg -x "$deb" "$into"
	done
	rm -r "$tmp"
}
