# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Virtual machines side by side, for the tests in this directory: what runs in one waits for its
# processor most of the time, and so can share this host's with another. Sourced after ../lib.sh.

declare -A vm

# vm_start NAME ARGS...: scripts/vm.sh with these, in the background.
vm_start()
{
	local name=$1

	shift
	spawn "$name" "$TOP/scripts/vm.sh" "$@"
	vm[$name]=$SPAWNED
}

# vm_end NAME SECONDS: waits for its end; its output is the last run's for the looks of lib.sh.
vm_end()
{
	STATUS=0
	reap "${vm[$1]}" "$2" || STATUS=$?
	cp "$TMP/$1.out" "$TMP/out"
	cp "$TMP/$1.err" "$TMP/err"
	echo " scripts/vm.sh (as $1)" >"$TMP/command"
}
