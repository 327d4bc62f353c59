/* SPDX-License-Identifier: MIT */
/* A hash of 64 bits: every bit of the result depends on every bit of v (splitmix64). */
#ifndef LNK_MIX_H
#define LNK_MIX_H

#include <stdint.h>

static inline uint64_t mix64(uint64_t v)
{
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ULL;
	v = (v ^ v >> 27) * 0x94d049bb133111ebULL;
	return v ^ v >> 31;
}

#endif
