#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a user would write with BCC in Python: the program that linux_net_kernel replaces.

    bcc_original.py [--check] [--line] [--skb FIELD=OFFSET,...]

Five kprobes (where the kernel has none: the raw tracepoint netif_receive_skb), a perf
buffer of BCC's default size, one Python callback and one printed row for each event, the
columns of the original. No filter, no rate limit. It is a yardstick for benchmarks and
not meant for use; SEQ and ACK SEQ are at least put into host byte order.

--check compiles the five kprobes, prints the seconds that took, and ends. --line writes
each row at once, as to a terminal. --skb gives the places of fields in struct sk_buff
where the installed headers are not those of the running kernel.
"""
import argparse
import ctypes
import datetime
import errno
import signal
import socket
import struct
import sys
import time

from bcc import BPF

TEXT = r"""
#include <uapi/linux/ptrace.h>
#include <net/sock.h>
#include <linux/skbuff.h>
#include <linux/ip.h>
#include <linux/tcp.h>

struct event {
    char func[24];
    u32 saddr, daddr;
    u16 sport, dport;
    u32 seq, ack_seq;
};
BPF_PERF_OUTPUT(events);

#ifndef OFFSET_head
#define OFFSET_head offsetof(struct sk_buff, head)
#define OFFSET_data offsetof(struct sk_buff, data)
#endif
#define SKB_READ(to, field) \
    bpf_probe_read_kernel(&(to), sizeof(to), (char *)skb + OFFSET_##field)

static __always_inline int show(void *ctx, struct event *e, unsigned char *at)
{
    struct iphdr ip = {};
    struct tcphdr tcp = {};

    bpf_probe_read_kernel(&ip, sizeof(ip), at);
    if (ip.version != 4 || ip.protocol != IPPROTO_TCP)
        return 0;
    bpf_probe_read_kernel(&tcp, sizeof(tcp), at + ip.ihl * 4);
    e->saddr = ip.saddr;
    e->daddr = ip.daddr;
    e->sport = ntohs(tcp.source);
    e->dport = ntohs(tcp.dest);
    e->seq = ntohl(tcp.seq);
    e->ack_seq = ntohl(tcp.ack_seq);
    events.perf_submit(ctx, e, sizeof(*e));
    return 0;
}
"""

RAW_TRACEPOINT = r"""
int raw_tracepoint__netif_receive_skb(struct bpf_raw_tracepoint_args *ctx)
{
    struct event e = { .func = "netif_receive_skb" };
    struct sk_buff *skb = (struct sk_buff *)ctx->args[0];
    unsigned char *data = 0;

    SKB_READ(data, data);
    return show(ctx, &e, data);
}
"""

KPROBE_SKB = r"""
int on_%(func)s(struct pt_regs *ctx)
{
    struct event e = { .func = "%(func)s" };
    struct sk_buff *skb = (struct sk_buff *)PT_REGS_PARM%(arg)d(ctx);
    unsigned char *head = 0;
    u16 network = 0;

    bpf_probe_read_kernel(&head, sizeof(head), &skb->head);
    bpf_probe_read_kernel(&network, sizeof(network), &skb->network_header);
    return show(ctx, &e, head + network);
}
"""

KPROBE_SOCK = r"""
int on_sock_def_readable(struct pt_regs *ctx, struct sock *sk)
{
    struct event e = { .func = "sock_def_readable" };
    u16 family = 0;

    bpf_probe_read_kernel(&family, sizeof(family), &sk->__sk_common.skc_family);
    if (family != AF_INET)
        return 0;
    bpf_probe_read_kernel(&e.saddr, sizeof(e.saddr), &sk->__sk_common.skc_daddr);
    bpf_probe_read_kernel(&e.daddr, sizeof(e.daddr), &sk->__sk_common.skc_rcv_saddr);
    bpf_probe_read_kernel(&e.sport, sizeof(e.sport), &sk->__sk_common.skc_dport);
    bpf_probe_read_kernel(&e.dport, sizeof(e.dport), &sk->__sk_common.skc_num);
    e.sport = ntohs(e.sport);
    events.perf_submit(ctx, &e, sizeof(e));
    return 0;
}
"""

# function: which argument is the skb
SKB_FUNCTIONS = {"netif_receive_skb": 1, "ip_rcv_finish": 3, "tcp_v4_do_rcv": 2,
                 "tcp_queue_rcv": 2}
FUNCTIONS = list(SKB_FUNCTIONS) + ["sock_def_readable"]
KPROBES = "".join(KPROBE_SKB % {"func": f, "arg": a} for f, a in SKB_FUNCTIONS.items())
KPROBES += KPROBE_SOCK


class Event(ctypes.Structure):
    _fields_ = [("func", ctypes.c_char * 24), ("saddr", ctypes.c_uint32),
                ("daddr", ctypes.c_uint32), ("sport", ctypes.c_uint16),
                ("dport", ctypes.c_uint16), ("seq", ctypes.c_uint32),
                ("ack_seq", ctypes.c_uint32)]


HEADER = (f"{'KERNEL FUNCTION':<20} | {'SRC IP':<17} | {'DST IP':<17} | {'SRC PORT':<10} | "
          f"{'DST PORT':<10} | {'SEQ':<14} | {'ACK SEQ':<14} | {'TIMESTAMP':<26}")


def address(a):
    return socket.inet_ntoa(struct.pack("I", a))


def print_event(cpu, data, size):
    e = ctypes.cast(data, ctypes.POINTER(Event)).contents
    stamp = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    func = f"[{e.func.decode('utf-8', 'replace')}]"
    print(f"{func:<20} | {address(e.saddr):<17} | {address(e.daddr):<17} | {e.sport:<10} | "
          f"{e.dport:<10} | {e.seq:<14} | {e.ack_seq:<14} | {stamp:<26}")


def compile_text(kprobes, offsets):
    flags = ["-Wno-macro-redefined"] + [f"-DOFFSET_{k}={v}" for k, v in offsets.items()]
    return BPF(text=TEXT + (KPROBES if kprobes else RAW_TRACEPOINT), cflags=flags)


def has_kprobes():
    """Kernels without them have no PMU of that name, and no such list in tracefs."""
    try:
        with open("/sys/bus/event_source/devices/kprobe/type", encoding="ascii"):
            return True
    except OSError:
        return False


def attach(b):
    attached = 0
    for func in FUNCTIONS:
        try:
            b.attach_kprobe(event=func, fn_name=f"on_{func}")
            attached += 1
        except Exception as error:  # a bare Exception is what BCC raises
            print(f"{func}: {error}", file=sys.stderr)
    if not attached:
        sys.exit("no kprobe could be attached")


def stop(signum, frame):
    raise KeyboardInterrupt


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--check", action="store_true")
    p.add_argument("--line", action="store_true")
    p.add_argument("--skb", default="")
    args = p.parse_args()
    offsets = dict(pair.split("=") for pair in args.skb.split(",") if pair)

    start = time.perf_counter()
    b = compile_text(args.check or has_kprobes(), offsets)
    if args.check:
        print(f"{time.perf_counter() - start:.4f}")
        return
    if has_kprobes():
        attach(b)
    lost = 0

    def on_lost(count):
        nonlocal lost
        lost += count

    b["events"].open_perf_buffer(print_event, lost_cb=on_lost)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if args.line:
        sys.stdout.reconfigure(line_buffering=True)
    print(HEADER)
    print("-" * len(HEADER), flush=True)
    print("Started TCP monitoring...", file=sys.stderr, flush=True)
    try:
        while True:
            b.perf_buffer_poll()
    except KeyboardInterrupt:
        pass
    except OSError as error:
        if error.errno != errno.EINTR:
            raise
    sys.stdout.flush()
    print(f"lost {lost}", file=sys.stderr)


main()
