/* SPDX-License-Identifier: MIT */
/*
 * probes/packet.h, compiled for this host. Before this file come struct sk_buff with what is read
 * of it, PAGES, and where that is 1 struct skb_shared_info and BPF_ARRAY(); behind it
 * bpf_probe_read_kernel().
 */
#ifndef LNK_TEST_PACKET_HOST_H
#define LNK_TEST_PACKET_HOST_H

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "probes/event.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define CAST_READS 0
#define DIRECT_READS 0
#define KERNEL_VERSION(a, b, c) ((a)*65536 + (b)*256 + (c))
#define LINUX_VERSION_CODE KERNEL_VERSION(6, 1, 0)
#define bpf_ntohs ntohs
#define bpf_htons htons
#define bpf_ntohl ntohl
#define bpf_htonl htonl

static long bpf_probe_read_kernel(void *to, u32 size, const void *from);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wunused-function"
#include "probes/packet.h"
#pragma GCC diagnostic pop

#endif
