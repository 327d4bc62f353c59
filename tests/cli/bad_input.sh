#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A wrong command line: one line that names the culprit, exit 2, nothing on stdout; the
# same for root and for everybody else.

# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
need_binary

# bad WORD ARGS...: WORD is what the message must say.
bad()
{
	local word=$1

	shift
	run "$LNK" "$@"
	check "$(printf '%q ' "$@")" expect_exit 2 -- expect_no_out -- expect_err_lines 1 -- \
		grep -q '^linux_net_kernel: ' "$TMP/err" -- expect_err "$word"
}

for address in 300.1.1.1 :: 0.0.0.0 '' 1.2.3 1.2.3.4.5 1.2.3.4/24 010.0.0.1 ::1%eth0 '[::1]' localhost \
	0.0.0.0/32 ::/128 10.0.0.0/33 10.0.0.0/ 10.0.0.0/x ::1/129 ::1/64 ::ffff:0:0/96 '10.0.0.1,' \
	,10.0.0.1 10.0.0.1,,::1 '10.0.0.1, ::1' 10.0.0.1,x; do
	bad "-i: '$address' is not a host's IPv4 or IPv6 address, a network" -i "$address"
	bad "--ip: '$address' is not a host's IPv4 or IPv6 address, a network" --ip="$address"
done
bad "-4: -i, --src or --dst has addresses of IPv6 only" -4 -i ::1
bad "-6: -i, --src or --dst has addresses of IPv4 only" -6 --src 10.0.0.0/8
bad "--src: '10' is not a host's IPv4 or IPv6 address, a network" --src 10
bad "--dst: '10' is not a host's IPv4 or IPv6 address, a network" --dst=10
for port in 0 65536 70000 80x -1 '' 65616 18446744073709551696 +80 ' 80' 0x50 '80,' ,80 80,,90 90-80 \
	80- -80 1-65536 80-90-100 80,x http; do
	bad "-p: '$port' is not a port (1 to 65535), a range such as 8000-8100, or a list" -p "$port"
	bad "--port: '$port' is not a port (1 to 65535), a range" --port "$port"
done
bad "--sport: '0' is not a port (1 to 65535)" --sport 0
bad "--dport: '0' is not a port (1 to 65535)" --dport=0
many=$(seq -s, 1 1024)
bad "-p: '1025' is more than there is room for: at most 1024" -p "$many" -p 1025
many=$(seq -s, -f '10.0.0.%g' 0 255)
bad "-i: '::1' is more than there is room for: at most 256" -i "$many" -i ::1
bad "-4 and -6 exclude each other" -4 -6

for flags in '' SY 'SYN,' SYN,,ACK SYN,SYN SYN,!SYN '!' S 2 'SYN ACK'; do
	bad "--flags: '$flags' is not a list of FIN, SYN, RST, PSH, ACK, URG, ECE, CWR" --flags "$flags"
done
for len in '' - 2-1 x 1-x -1-2 4294967296 1,2; do
	bad "--len: '$len' is not a number of bytes (0 to 4294967295), or a range" --len "$len"
done

bad "-I: 'nosuch0' is no interface here; there are " -I nosuch0
bad "-I: 'nosuch*' is no interface here; there are " -I lo --interface 'nosuch*'
bad "-I: '' is no interface here; there are " -I ''
for ns in nosuch /proc/self/ns/mnt /etc/passwd / 999999999 0 -1 ''; do
	bad "-N: '$ns' is no network namespace: " -N "$ns"
done
bad '-I: interfaces cannot be looked up in a namespace that is given by its inode number' -N 4294967295 -I lo

bad "--cgroup: 'no/such' is no cgroup: " --cgroup no/such
bad "--cgroup: '' is no cgroup: " --cgroup ''
bad "--cgroup: '/' is no cgroup: the directory is not one of the file system cgroup2" --cgroup=/
bad "--cgroup: '/etc/passwd' is no cgroup: Not a directory" --cgroup /etc/passwd
bad "--cgroup: '/\\x1b[31m' is no cgroup: No such file or directory" --cgroup $'/\e[31m'

for pid in 0 -1 abc 99999999 4194305 '' +1 1,,2 '1,' 0x1 1.5 ' 1'; do
	bad "--pid: '$pid' is not the number of a process (1 to 4194304), or a list" --pid "$pid"
done
bad "--pid: there is no process 4194304" --pid "$$" --pid 4194304
bad "--pid: '65' is more than there is room for: at most 64" --pid "$(seq -s, 1 64)" --pid 64,1 --pid 65
for name in '' 1234567890123456 $'sixteen bytes \n!!'; do
	bad "is not the name of a process (1 to 15 bytes, as in /proc/PID/comm)" --comm "$name"
done
bad "--pid and --comm: not with -s, which counts in the kernel" -s --pid "$$"
bad "--pid and --comm: not with -s, which counts in the kernel" -s 1 5 --comm sshd

bad "--where:6: expected a value" --where 'len >'
bad "--where:1: unknown name 'nosuch'" --where nosuch
bad "--where:1: " --where ''
bad "--where:5: " --where 'len = 1'
bad "--col a:1: unknown name 'nosuch'" --col a=nosuch
bad "--col a:5: expected a value" --col 'a=1 + '
bad "expression 'tcp prt 80': can't parse filter expression: syntax error" tcp prt 80
bad "expression 'tcp prt 80': can't parse filter expression: syntax error" --filter 'tcp prt 80'
bad "expression 'ether broadcast': " -s 1 2 ether broadcast
bad "expression 'x': " x
bad "expression 'tcp\x1b[31m\x0a': " $'tcp\e[31m\n'
bad "there are two expressions: --filter, and 'tcp'" --filter ip tcp
for rate in -5 x '' 1000000001 1e3; do
	bad "-R: '$rate' is not a whole number" -R "$rate"
	bad "--rate: '$rate' is not a whole number" --rate="$rate"
done
for count in 0 -1 '' 99999999999999999999; do
	bad "-c: '$count' is not a whole number" -c "$count"
done
for time in 0 0.0 -1 '' 1m 1. 18446744073.8; do
	bad "-D: '$time' is not a time in seconds" -D "$time"
done
for pages in 0 3 131072 4294967297 x; do
	bad "--buffer-pages: '$pages' is not a power of two" --buffer-pages "$pages"
done
bad "--attach: 'uprobe' is not one of auto, fentry, kprobe or tracepoint" --attach=uprobe
bad "--headers: 'bft'" --headers=bft

for list in flgs function,flgs +flgs -flgs; do
	bad "-o: no column is called 'flgs'; did you mean 'flags'? There are function, src," -o "$list"
done
bad "-o: a name is missing" --columns=
bad "-o: 'seq' is among the columns already" -o seq,seq
bad "-o: 'len' is to be taken out, and is not among the columns" -o -len
bad "--col: 'x' is not NAME=EXPRESSION[:FORMAT]" --col x
bad "--col: 'len': there is a column or field of this name already" --col len=1
for name in tp ack_seq gso_size inode srtt_us ifindex; do
	bad "--col: '$name'" --col "$name=1"
done
bad "-o: no column is called 'pids'; did you mean 'pid'?" -o +pids
bad "--col: no format is called 'oct'" --col a=1:oct
every=flags,len,win,ttl,ifname,cpu,uid,state,srtt,rto,cwnd,retrans,rcvq,sndq,mark,skb,sk,hash,gso
bad "-o: the columns need 25 numbers beside those of every row; 24 can be had" \
	-o "$every" --col a=1 --col b=1 --col c=1 --col d=1 --col e=1
bad "-o: the columns need 24 numbers beside those of every row; 23 can be had" \
	-d -o "$every" --col a=1 --col b=1 --col c=1 --col d=1
bad "-t: 'utc' is not one of wall, mono, start, delta, iso or epoch" -t utc
bad "--color: 'yes' is not one of auto, always or never" --color=yes
bad "-n and --resolve: names are shown, or numbers" -n --resolve

bad "unknown option '--foo'" --foo
bad "unknown option '-x'" -x
bad "unknown option '-x'" -vx
bad "unknown option '-1'" -s -1
bad "ambiguous option '--ver'" --ver
bad "option '--stats' takes no value" --stats=1
bad "-i: its argument ADDR[/LEN] is missing" -i
bad "--port: its argument PORTS is missing" --port

bad "--rate: given more than once" -R 80 --rate 81
bad "--where: given more than once" --where len --where len

bad "surplus argument '1'; an interval and a count are given only with -s" -v 1
bad "surplus argument '3'; -s takes an interval and a count" -s 1 2 3
bad "interval: '0' is not a time in seconds" -s 0
bad "interval: '0.05' is not a time in seconds" -s 0.05
bad "count: '0' is not a whole number" -s 1 0

bad "--probe-dir: '$TMP/none': No such file or directory" --probe-dir "$TMP/none"
: >"$TMP/file"
bad "--probe-dir: '$TMP/file' is not a directory" --probe-dir="$TMP/file"
bad "--probe-dir: ''" --probe-dir ''

# What the user typed cannot drive the terminal that shows the message.
bad '\x1b[31m\x0a' -p $'\e[31m\n'
bad "'\\xc2\\x9b2J'" -I $'\xc2\x9b2J'
bad "'\\x1b[31m'" --filter ip $'\e[31m'

# An instead-of-tracing option does not hide a mistake.
bad "-p: '0' is not a port" --check -p 0
for other in --check --dump-source --doctor; do
	bad "--watch: only a running monitor takes changes" --watch $other
done
bad "--json: there is JSON only of --doctor" --json
bad "--json: there is JSON only of --doctor" --check --json

if is_root && command -v setpriv >/dev/null; then
	chmod 711 "$TMP"
	cp "$LNK" "$TMP/lnk"
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$TMP/lnk" -p 0
	check "a wrong port as another user than root" expect_exit 2 -- expect_no_out -- \
		expect_err_lines 1 -- expect_err "-p: '0' is not a port"
else
	skip "a wrong port as another user than root" "needs root and setpriv"
fi
