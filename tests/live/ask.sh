#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 500
# What is asked for, against other witnesses of the same traffic: filters and columns of
# packets against tcpdump, columns of sockets against ss.
#
# ask.sh --attach KIND: with this kind of hook, and without the witnesses: every name has a
# value that is true, and filters leave what they must.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

ALL=9651-9659
NAMES=$(sed -n 's/^\t{ "\([a-z0-9_.]*\)",.*/\1/p' "$TOP/src/bpf/names.c")

# Payloads of 1 to 5000 bytes in both directions, then a socket that keeps its data unread.
cat >"$TMP/traffic.py" <<'PYTHON'
import os, socket, sys, threading, time

def reader(conn):
    with conn:
        while data := conn.recv(65536):
            conn.sendall(data[:7])

def one(address, port, listen=None, sizes=(1, 100, 101, 1000, 5000), source=None):
    family = socket.AF_INET6 if ":" in (listen or address) else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((listen or address, port))
        listener.listen()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as client:
            if source:
                client.bind((source, 0))
            client.connect((address, port))
            conn, _ = listener.accept()
            thread = threading.Thread(target=reader, args=(conn,))
            thread.start()
            for size in sizes:
                client.sendall(b"x" * size)
                client.recv(7, socket.MSG_WAITALL if size >= 7 else 0)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        thread.join()

def quiet():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 9659))
    listener.listen()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 42)
    client.connect(("127.0.0.1", 9659))
    os.seteuid(65534)
    conn, _ = listener.accept()
    os.seteuid(0)
    for _ in range(3):
        time.sleep(0.3)
        client.sendall(b"abc")
    time.sleep(0.3)
    print(client.getsockname()[1], flush=True)
    sys.stdin.readline()

if sys.argv[1:] == ["quiet"]:
    quiet()
elif sys.argv[1:]:
    one(*sys.argv[1:2], int(sys.argv[2]), *sys.argv[3:4])
else:
    one("127.0.0.1", 9651)
    one("127.0.0.2", 9652, source="127.0.0.3")
    one("::1", 9653)
    one("127.0.0.1", 9654, listen="::")     # a dual-stack listener
    one("127.0.0.1", 9655, sizes=(1,))
PYTHON

# --- every name: known where there are packet and socket, or only there where it says so

# All names but ip6.flow (IPv4 has none) and, with SKIP, the hook's own.
conjunction()
{
	local n out=1

	for n in $NAMES; do
		case $n in
		ip6.flow) ;;
		skb | sk | tp) out="$out && $n" ;;
		*) out="$out && ($n || 1)" ;;
		esac
	done
	printf '%s\n' "$out"
}

# What each of them is for the traffic on the loopback, at the sockets' stages.
TRUE='ip.version == 4 && ip.hlen == 20 && ip.ttl == 64 && ip.tos >= 0 && ip.id < 65536 &&
 ip.len == ip.hlen + tcp.hlen + len && tcp.hlen == 32 && tcp.window > 0 && tcp.window < 65536 &&
 tcp.ack && !tcp.syn && !tcp.rst && !tcp.urg && !tcp.ece && !tcp.cwr &&
 tcp.flags == (16 | tcp.psh << 3 | tcp.fin) && len <= 5000 && cpu < 4096 &&
 (sport >= 9651 && sport <= 9659 || dport >= 9651 && dport <= 9659) && seq >= 0 && ack_seq >= 0 &&
 ifindex == 1 && mark == 0 && hash >= 0 && gso_segs < 8 && gso_size < 65536 &&
 state >= 1 && state <= 9 && srtt_us < 1000000 && rto_us >= 1000 && rto_us <= 4000000 && cwnd >= 2 &&
 cwnd < 1000 && retrans < 10 && rcvq < 10000 && sndq < 10000 && uid == 0 &&
 skb->len >= len && sk->sk_protocol != 99 && tp->mss_cache > 100'
TRUE=$(printf '%s' "$TRUE" | tr -d '\n')

# The rows of the sockets' stages that see a packet.
socket_rows()
{
	rows | grep -Ec '^\[tcp_(rcv_established|v4_do_rcv|queue_rcv)\]'
}

if [ "${1-}" = --attach ]; then
	start core --attach "$2" -p "$ALL" -i 127.0.0.0/8,::1 -4 -o +flags,len,state,rcvq,ifname \
		--where "$(conjunction) && $TRUE && netns" --len 0-5000 'tcp port 9651 or net 127'
	python3 "$TMP/traffic.py" 127.0.0.1 9651
	python3 "$TMP/traffic.py" ::1 9651
	sleep 1
	stop core "$SPAWNED"
	n=$(socket_rows)
	check "$2: every name has a value, and what is asked is shown" expect_exit 0 -- \
		expect_exact -- [ "$n" -ge 10 ] -- expect_rows '$2 == "127.0.0.1" && $NF ~ /^lo *$/'
	exit 0
fi

need_command tcpdump
need_command ss
need_command ip

i=0 args=()
for n in $NAMES; do
	args+=(--col "n$i=$n")
	[ "$n" != skb ] && [ "$n" != sk ] && [ "$n" != tp ] || args[${#args[@]}-1]="n$i=!!$n"
	i=$((i + 1))
	if [ "$i" -eq 16 ]; then
		run "$LNK" --check -o function "${args[@]}"
		check "--col takes every name: up to $n" expect_exit 0 -- expect_err 'compiled and verified'
		i=0 args=()
	fi
done
[ "$i" -eq 0 ] || run "$LNK" --check -o function "${args[@]}"
check "--col takes every name: the others" expect_exit 0 -- expect_err 'compiled and verified'

# --- filters against tcpdump

# The payload's length, in tcpdump's language, of both families.
L4='(ip[2:2] - ((ip[0]&0xf)<<2) - ((tcp[12]&0xf0)>>2))'
L6='(ip6[4:2] - ((ip6[52]&0xf0)>>2))'
ASKED=(
	"-i 127.0.0.0/8,::1 -p 9651-9652,9653,9654"
	"portrange 9651-9654 and (net 127.0.0.0/8 or host ::1)"
	"--src ::/0 --dport 9653"
	"ip6 and tcp dst port 9653"
	"--dst 127.0.0.2/31 --src 127.0.0.0/30 -p $ALL"
	"portrange $ALL and dst net 127.0.0.2/31 and src net 127.0.0.0/30"
	"--flags SYN,!ACK -p $ALL"
	"portrange $ALL and ((ip and tcp[13] & 0x12 = 2) or (ip6 and ip6[53] & 0x12 = 2))"
	"--flags psh,ack -4 -p $ALL"
	"portrange $ALL and ip and tcp[13] & 0x18 = 0x18"
	"--len 7-100 -p $ALL -6"
	"portrange $ALL and ip6 and $L6 >= 7 and $L6 <= 100"
	"--len 101- -p $ALL -I lo"
	"portrange $ALL and ((ip and $L4 > 100) or (ip6 and $L6 > 100))"
	"--where tcp.psh&&len>500||tcp.fin -p $ALL"
	"portrange $ALL and ((ip and (tcp[13]&1=1 or (tcp[13]&8=8 and $L4>500))) or (ip6 and (ip6[53]&1=1 or (ip6[53]&8=8 and $L6>500))))"
	"tcp port 9651 or src host 127.0.0.3"
	"tcp port 9651 or src host 127.0.0.3"
)

spawn dump tcpdump -i lo -n -U --immediate-mode -B 8192 -w "$TMP/pcap" tcp portrange "$ALL"
dump=$SPAWNED
wait_until 10 grep -q 'listening on' "$TMP/dump.err"
pids=()
for ((i = 0; i < ${#ASKED[@]}; i += 2)); do
	# shellcheck disable=SC2086 # words
	spawn "f$i" "$LNK" ${ASKED[i]}
	pids+=("$SPAWNED")
done
spawn cols "$LNK" -p "$ALL" -o function,sport,dport,seq,flags,len,win,ttl,ifname
cols=$SPAWNED
spawn true "$LNK" -p 9651,9655 -4 --where "$(conjunction) && $TRUE"
true=$SPAWNED
spawn false "$LNK" -p "$ALL" --where "!($TRUE)" -4 -I lo -N $$
false=$SPAWNED
all_started()
{
	local f

	for f in "$TMP"/f*.err "$TMP/cols.err" "$TMP/true.err"; do
		grep -q 'Started TCP monitoring' "$f" || return 1
	done
}
wait_until 200 all_started || { not_ok "all of them start"; cat "$TMP"/*.err >&2; exit 1; }
python3 "$TMP/traffic.py"
# tcpdump writes what it has read, and may be late
settled()
{
	local before

	before=$(stat -c %s "$TMP/pcap")
	sleep 2
	[ "$(stat -c %s "$TMP/pcap")" -eq "$before" ]
}
wait_until 30 settled
kill -INT "$dump" "$cols" "$true" "$false" "${pids[@]}"
wait "$dump"

for ((i = 0; i < ${#ASKED[@]}; i += 2)); do
	finish "f$i" "${pids[i / 2]}"
	n=$(rows | grep -c '^\[netif_receive_skb\]')
	m=$(tcpdump -r "$TMP/pcap" -n "${ASKED[i + 1]}" 2>/dev/null | wc -l)
	check "${ASKED[i]}: $m packets, as tcpdump has them" expect_exit 0 -- expect_exact -- \
		[ "$n" -eq "$m" ] -- [ "$m" -gt 0 ]
done

# --- columns of packets against tcpdump

finish cols "$cols"
rows | grep '^\[netif' |
	awk -F ' *[|] *' '{ print $2, $3, $5, $6, $7, $8 }' | sort >"$TMP/ours"
tcpdump -r "$TMP/pcap" -n -v -S 2>/dev/null | awk '
	/ttl |hlim / {
		ttl = $0; sub(/.*(ttl|hlim) /, "", ttl); sub(/[^0-9].*/, "", ttl)
		if (!/Flags/) next
	}
	/Flags/ {
		flags = $0; sub(/.*Flags \[/, "", flags); sub(/\].*/, "", flags)
		from = $0; sub(/ > .*/, "", from); sub(/.*\./, "", from)
		to = $0; sub(/.* > /, "", to); sub(/: Flags.*/, "", to); sub(/.*\./, "", to)
		win = $0; sub(/.*win /, "", win); sub(/[^0-9].*/, "", win)
		len = $0; sub(/.*, length /, "", len); sub(/[^0-9].*/, "", len)
		print from, to, flags, len, win, ttl
	}' | sort >"$TMP/theirs"
check "flags, len, win, ttl: $(wc -l <"$TMP/theirs") packets, as tcpdump -v has them" expect_exit 0 -- \
	expect_exact -- [ -s "$TMP/theirs" ] -- cmp "$TMP/ours" "$TMP/theirs" -- \
	expect_out '| lo '

finish true "$true"
n=$(socket_rows)
check "every name in one --where, and all of it is true" expect_exit 0 -- expect_exact -- \
	[ "$n" -ge 10 ] -- [ "$n" -eq "$(rows | wc -l)" ]
finish false "$false"
check "its contrary is never" expect_exit 0 -- expect_exact -- [ "$(rows | wc -l)" -eq 0 ]

# --- columns of sockets against ss

start socket -p 9659 -o function,sport,dport,state,cwnd,rcvq,sndq,srtt,rto,retrans,mark,uid
mkfifo "$TMP/go"
python3 "$TMP/traffic.py" quiet <>"$TMP/go" >"$TMP/quiet" &
quiet=$!
LIB_PIDS+=("$quiet")
wait_until 10 [ -s "$TMP/quiet" ]
client=$(cat "$TMP/quiet")
ss -tine state established "( sport = :9659 )" | tr '\n' ' ' >"$TMP/ss"
echo >"$TMP/go"
wait "$quiet"
stop socket "$SPAWNED"
# the row of the last data: nothing came after it before ss looked
last=$(rows | awk -F ' *[|] *' -v c="$client" '/^.sk_data_ready|^.sock_def/ && $2 == c && $4 == "ESTAB"' | tail -n 1)
of_ss()
{
	sed -n "s/.*[ :(]$1:\([0-9.]*\).*/\1/p" "$TMP/ss"
}
ss_says=$(awk '{ for (i = 1; i <= NF; i++) if ($i ~ /:9659$/) { print $(i - 2), $(i - 1); exit } }' "$TMP/ss")
ours=$(printf '%s\n' "$last" | awk -F ' *[|] *' '{ print $6, $7 }')
check "rcvq and sndq are ss's" [ "$ours" = "$ss_says" ] -- [ "$ours" = '9 0' ]
check "srtt, rto, cwnd and uid are ss's" \
	awk -F ' *[|] *' -v rtt="$(of_ss rtt)" -v rto="$(of_ss rto)" -v cwnd="$(of_ss cwnd)" \
	-v uid="$(of_ss uid)" 'END { exit !($8 == rtt + 0 && $9 == rto + 0 && $5 == cwnd && $12 == uid && uid == 65534) }' \
	<(printf '%s\n' "$last")
check "mark is that of SO_MARK" \
	[ "$(rows | awk -F ' *[|] *' -v c="$client" '/^.netif/ && $2 == c && $11 != "0x2a"' | wc -l)" -eq 0 ] -- \
	[ "$(rows | grep -c '| 0x2a ')" -ge 5 ]
check "a listener: its queue, and how long it may be" \
	[ "$(rows | awk -F ' *[|] *' '$4 == "LISTEN" { print $6, $7 }' | sort -u)" = '1 128' ]

# --- interfaces and namespaces

NS=lnk-ask-ns-$$ # as wide as its column at least: nothing is padded
if ! ip netns add "$NS" 2>/dev/null; then
	skip "interfaces and namespaces" "no network namespace can be made"
	exit 0
fi
trap 'ip netns del "$NS"; rm -rf "$TMP"' EXIT
ip link add lnkask0 type veth peer name lnkask1 netns "$NS" || exit 1
ip addr add 10.231.7.1/24 dev lnkask0
ip link set lnkask0 up
ip -n "$NS" addr add 10.231.7.2/24 dev lnkask1
ip -n "$NS" link set lnkask1 up
ip -n "$NS" link set lo up
spawn dump0 tcpdump -i lnkask0 -Q in -n -U --immediate-mode -w "$TMP/pcap0" tcp port 9658
dump0=$SPAWNED
spawn dump1 ip netns exec "$NS" tcpdump -i lnkask1 -Q in -n -U --immediate-mode -w "$TMP/pcap1" tcp port 9658
dump1=$SPAWNED
spawn here "$LNK" -I 'lnkask*' -p 9658 -o function,sport,dport,ifname,netns
here=$SPAWNED
spawn there "$LNK" -N "$NS" -I lnkask1 -p 9658 -o function,sport,dport,ifname,netns
there=$SPAWNED
spawn space "$LNK" -N "/run/netns/$NS" -p 9658 -o function,netns
space=$SPAWNED
spawn where "$LNK" --where "netns == $(stat -L -c %i "/run/netns/$NS")" -p 9658 -o function,netns
where=$SPAWNED
both_started()
{
	[ "$(cat "$TMP"/{here,there,space,where}.err | grep -c 'Started TCP')" -eq 4 ]
}
wait_until 120 both_started || { not_ok "all of them start"; cat "$TMP"/*.err >&2; exit 1; }
ip netns exec "$NS" python3 "$TMP/traffic.py" 10.231.7.2 9658 & # on the namespace's lo
wait $!
cat >"$TMP/client.py" <<'PYTHON'
import socket, sys, time
for _ in range(100):
    try:
        s = socket.create_connection(("10.231.7.2", 9658))
        break
    except ConnectionRefusedError:
        time.sleep(0.05)
s.sendall(b"hello")
s.recv(5)
PYTHON
ip netns exec "$NS" python3 -c '
import socket
l = socket.socket()
l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind(("10.231.7.2", 9658))
l.listen()
c, _ = l.accept()
c.sendall(c.recv(5))
c.recv(5)
' &
server=$!
python3 "$TMP/client.py"
wait "$server"
sleep 0.5
kill -INT "$here" "$there" "$space" "$where" "$dump0" "$dump1"
wait "$dump0" "$dump1"
n0=$(tcpdump -r "$TMP/pcap0" 2>/dev/null | wc -l)
n1=$(tcpdump -r "$TMP/pcap1" 2>/dev/null | wc -l)
count_netif()
{
	rows | grep -c '^\[netif_receive_skb\]'
}
finish here "$here"
check "-I: what came in on a veth, $n0 packets" expect_exit 0 -- expect_exact -- [ "$n0" -gt 3 ] -- \
	[ "$(count_netif)" -eq "$n0" ] -- expect_rows '$4 == "lnkask0"' -- [ "$(rows | wc -l)" -gt "$n0" ]
finish there "$there"
check "-N with -I: what came in at its other end, $n1 packets" expect_exit 0 -- expect_exact -- \
	[ "$n1" -gt 3 ] -- [ "$(count_netif)" -eq "$n1" ] -- expect_rows "\$5 == \"$NS\""
finish space "$space"
all=$(count_netif)
check "-N: the namespace, with its loopback" expect_exit 0 -- expect_exact -- \
	[ "$all" -gt $((n1 + 15)) ] -- expect_rows "\$2 == \"$NS\"" -- expect_out '[sk_data_ready]'
finish where "$where"
check "--where netns: the same" expect_exit 0 -- expect_exact -- [ "$(count_netif)" -eq "$all" ] -- \
	expect_rows "\$2 == \"$NS\""
