/* SPDX-License-Identifier: MIT */
/*
 * When a packet had its previous row. A packet is known by addresses, ports, SEQ, ACK SEQ
 * and the address of its buffer (skb), so that a retransmission is another packet. Buffers
 * are used again at once, though: a row of a function that this packet has passed already,
 * and not just now (a bridge hands it to netif_receive_skb twice), begins a new packet.
 *
 * The table is of one size: a packet that was pushed out of it by others has no previous
 * row.
 */
#ifndef LNK_PACKETS_H
#define LNK_PACKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "probes/event.h"

#define PACKETS_MAX 4096

struct packets;

int packets_open(struct packets **out);
void packets_close(struct packets *p);

/* Notes this row. Returns whether its packet had one before, and when. */
bool packets_note(struct packets *p, const struct lnk_event *e, uint64_t skb, uint64_t *before_ns);

#endif
