/* SPDX-License-Identifier: MIT */
/*
 * A fuzz target is one function that gets bytes and must neither crash nor break what the
 * headers promise. fuzz_*.c become programs twice: with libFuzzer (clang), which looks for
 * inputs, and with replay.c, which only runs the ones that are kept in corpus/.
 *
 * A target takes its input apart with the functions here, from the front; when the input
 * is used up they go on with zeros and empty strings.
 */
#ifndef LNK_FUZZ_H
#define LNK_FUZZ_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t left;
};

/* Ends the program, which the fuzzer takes for a crash. */
#define REQUIRE(cond)                                                                              \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond);       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* A number of n bytes, little endian. */
static inline uint64_t take_number(struct input *in, size_t n)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < n && in->left; i++, in->p++, in->left--)
		v |= (uint64_t)*in->p << (8 * i);
	return v;
}

/* n bytes in memory of their own, so that a read past them is noticed; fewer when the
 * input has no more. */
static inline uint8_t *take_bytes(struct input *in, size_t n, size_t *len)
{
	uint8_t *copy;

	*len = n < in->left ? n : in->left;
	copy = malloc(*len ? *len : 1);
	if (!copy)
		abort();
	memcpy(copy, in->p, *len);
	in->p += *len;
	in->left -= *len;
	return copy;
}

/* A string up to the next zero byte of the input, in memory of its own. */
static inline char *take_string(struct input *in)
{
	const uint8_t *end = in->left ? memchr(in->p, 0, in->left) : NULL;
	size_t len = end ? (size_t)(end - in->p) : in->left;
	char *copy = malloc(len + 1);

	if (!copy)
		abort();
	if (len)
		memcpy(copy, in->p, len);
	copy[len] = '\0';
	in->p += len;
	in->left -= len;
	take_number(in, 1); /* the zero byte */
	return copy;
}

/* How many descriptors are open, of those that a target could have opened. */
static inline int open_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 128; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* True when the bytes may go to a terminal: no control byte but newline and tab. */
static inline bool is_safe_text(const char *s, size_t len, bool lines)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (lines && (s[i] == '\n' || s[i] == '\t'))
			continue;
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
		/* U+0080 to U+009F */
		if ((unsigned char)s[i] == 0xc2 && i + 1 < len && (unsigned char)s[i + 1] < 0xa0)
			return false;
	}
	return true;
}

#endif
