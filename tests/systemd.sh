#!/bin/sh
# systemd.sh -- the units say nothing that systemd does not understand, and keep the service well shut in.
# SPDX-License-Identifier: MIT
#
# usage: tests/systemd.sh BUILD, where BUILD/pared is the daemon
set -u

build=${1:?usage: tests/systemd.sh BUILD}
units=$(dirname "$0")/../systemd
bindir=$(cd "$build" && pwd) || exit 1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

# What a check printed is shown when it did not pass.
report() {
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not passed: $1"
		cat "$scratch/out"
	fi
}

sed -e "s|@BINDIR@|$bindir|g" -e "s|@SYSCONFDIR@|$scratch|g" "$units/pared.service.in" >"$scratch/pared.service"
cp "$units/pared.socket" "$scratch/pared.socket"

grep -n '@' "$scratch/pared.service" | grep -v 'SystemCallFilter=' >"$scratch/out"
report 'every placeholder is filled in' "$(wc -l <"$scratch/out")"

# An unknown key is only a warning to systemd: any word is a failure to us.
systemd-analyze verify --man=no "$scratch/pared.service" "$scratch/pared.socket" >"$scratch/out" 2>&1 || echo "status $?" >>"$scratch/out"
report 'systemd-analyze verify prints nothing' "$(wc -c <"$scratch/out")"

systemd-analyze security --offline=true --threshold=25 "$scratch/pared.service" >"$scratch/out" 2>&1
report 'exposure is at most 2.5' $?

mkdir "$scratch/root" && mkdir "$scratch/root/etc"
{
	systemd-sysusers --root="$scratch/root" "$(realpath "$units/pared.sysusers")" &&
		grep -q '^pared:' "$scratch/root/etc/passwd" && grep -q '^pared:' "$scratch/root/etc/group"
} >"$scratch/out" 2>&1
report 'sysusers makes the account and its group' $?

echo "systemd: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
