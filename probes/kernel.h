/* SPDX-License-Identifier: MIT */
/*
 * Kernel types, from whichever headers this host has: installed ones, or a tree made
 * from BTF that knows just these types. So a probe reads fields with
 * bpf_probe_read_kernel() and uses no inline function and no macro of the kernel's.
 */
#include <linux/skbuff.h>
#include <linux/tcp.h>

#define BPF_LICENSE Dual MIT/GPL
