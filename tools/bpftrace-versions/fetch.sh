#!/bin/sh
# Fetches the bpftrace of other Debian releases and unpacks it beside this checkout, to try the scripts with each.
#
#   tools/bpftrace-versions/fetch.sh [SUITE ...]      default: bookworm trixie sid
#
# Prints one line for each suite: suite, version, path of a `bpftrace` to run. Nothing is installed on the machine, and its
# apt configuration is read, never changed: the lists, the packages and what comes out of them are in .cache/.
# Signatures are checked with the machine's own Debian keyring; a suite signed by a newer key is checked with the keyring
# that a suite verified before it carries.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/.cache/bpftrace-versions

say() { echo "bpftrace-versions: $*" >&2; }

# The mirror of the first source that carries this Debian's own release.
own_mirror() {
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk -v release="$codename" '$2 == release && $3 == "main" { print $1; exit }'
}

# apt-get with lists, cache and package state of its own, so that every dependency is to be fetched.
apt_get() {
	apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/sources" \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::State="$work/state" -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \
		-o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Acquire::Languages=none \
		-o APT::Update::Error-Mode=any "$@"
}

write_source() {
	printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$1" "$2" "$3" >"$work/sources/debian.sources"
}

# A keyring out of a suite that was verified before, for the suites after it.
newer_keyring() {
	for other in "$cache"/*/root/usr/share/keyrings/debian-archive-keyring.*g; do
		[ -e "$other" ] && echo "$other"
	done | tail -1
}

update_lists() {
	write_source "$mirror" "$suite" "$keyring"
	apt_get update >"$work/update.log" 2>&1 && return
	newer=$(newer_keyring)
	[ -n "$newer" ] || return 1
	write_source "$mirror" "$suite" "$newer"
	apt_get update >"$work/update.log" 2>&1
}

# Packages that only an installed system needs: nothing of bpftrace runs them.
is_needed() {
	case $1 in
	adduser | base-passwd | bash | coreutils | debconf | dpkg | login* | passwd | perl* | sensible-utils | systemd* | tar | util-linux) return 1 ;;
	*) return 0 ;;
	esac
}

unpack_packages() {
	mkdir -p "$work/debs" "$work/root"
	apt_get install -y --print-uris bpftrace >"$work/uris" 2>"$work/download.log"
	packages=$(sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p" "$work/uris" | sort -u)
	wanted=debian-archive-keyring
	for package in $packages; do
		if is_needed "$package"; then wanted="$wanted $package"; fi
	done
	# shellcheck disable=SC2086 # a list of package names
	(cd "$work/debs" && apt_get download $wanted >>"$work/download.log" 2>&1)
	for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$work/root"; done
	rm -r "$work/debs"
}

# Runs the unpacked program on its own libraries. The link to the loader is named bpftrace because a process is named after
# the file that was executed, and the scripts leave out the tracer by that name.
write_command() {
	loader=$(find "$work/root" -name 'ld-linux*.so.*' | head -1)
	libraries=$(basename "$(dirname "$(find "$work/root/usr/lib" -name 'libbpf.so.*' | head -1)")")
	[ -n "$loader" ] && [ -n "$libraries" ]
	mkdir "$work/loader"
	ln -s "../root${loader#"$work/root"}" "$work/loader/bpftrace"
	cat >"$work/bpftrace" <<-END
		#!/bin/sh
		here=\$(dirname "\$(readlink -f "\$0")")
		exec "\$here/loader/bpftrace" --library-path "\$here/root/usr/lib/$libraries:\$here/root/lib/$libraries" "\$here/root/usr/bin/bpftrace" "\$@"
	END
	chmod +x "$work/bpftrace"
}

version_of() { "$1/bpftrace" --version 2>/dev/null | sed -n 's/^bpftrace v//p'; }

fetch() {
	work=$cache/$suite.part
	rm -rf "$work"
	mkdir -p "$work/sources" "$work/state/lists/partial" "$work/cache/archives/partial"
	: >"$work/status"
	if ! update_lists; then
		say "$suite: its lists could not be had or verified; see $work/update.log"
		return 1
	fi
	if ! unpack_packages || ! write_command || [ -z "$(version_of "$work")" ]; then
		say "$suite: bpftrace could not be fetched or does not run; see $work/download.log"
		return 1
	fi
	rm -rf "$work/cache" "$work/state" "${cache:?}/$suite"
	mv "$work" "$cache/$suite"
}

mirror=$(own_mirror)
if [ -z "$mirror" ]; then
	say "no apt source of this machine carries its own Debian release; nothing to derive a mirror from"
	exit 1
fi
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
if [ ! -e "$keyring" ]; then
	say "$keyring is not there; the package debian-archive-keyring has it"
	exit 1
fi
status=0
for suite in ${*:-bookworm trixie sid}; do
	case $suite in
	*[!a-z-]*)
		say "$suite: no name of a suite"
		status=2
		continue
		;;
	esac
	if [ -z "$(version_of "$cache/$suite")" ] && ! fetch; then
		status=1
		continue
	fi
	echo "$suite $(version_of "$cache/$suite") $cache/$suite/bpftrace"
done
exit $status
