/* SPDX-License-Identifier: MIT */
/*
 * A unit test is a program of cases:
 *
 *	TEST(zero_is_a_number)
 *	{
 *		CHECK_INT(num_parse("0", 0, 9, &v), 0);
 *	}
 *
 * Each case runs in a child of its own with a time limit, so that a crash, a hang or a
 * sanitizer's report fails that case only. main() is in unit.c; it prints one line for
 * each case to stdout ("ok - FILE: name", "not ok - FILE: name", "skip - FILE: name #
 * reason") and the details to stderr. An argument selects the cases whose "FILE: name"
 * contains it. The time limit is 30 seconds, or $UNIT_TIMEOUT.
 */
#ifndef LNK_UNIT_H
#define LNK_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void unit_register(const char *file, const char *name, void (*run)(void));

/* All of these go on after a failure and return whether the check held. */
bool unit_check(bool held, const char *what, const char *file, int line);
bool unit_check_int(intmax_t got, intmax_t want, const char *what, const char *file, int line);
bool unit_check_str(const char *got, const char *want, const char *what, const char *file,
		    int line);
bool unit_check_mem(const void *got, const void *want, size_t len, const char *what,
		    const char *file, int line);
_Noreturn void unit_skip(const char *reason);

#define TEST(name)                                                                                 \
	static void test_##name(void);                                                             \
	__attribute__((constructor)) static void register_##name(void)                             \
	{                                                                                          \
		unit_register(__FILE__, #name, test_##name);                                       \
	}                                                                                          \
	static void test_##name(void)

#define CHECK(cond) unit_check(cond, #cond, __FILE__, __LINE__)
#define CHECK_INT(got, want)                                                                       \
	unit_check_int((intmax_t)(got), (intmax_t)(want), #got, __FILE__, __LINE__)
#define CHECK_STR(got, want) unit_check_str(got, want, #got, __FILE__, __LINE__)
#define CHECK_MEM(got, want, len) unit_check_mem(got, want, len, #got, __FILE__, __LINE__)
#define SKIP(reason) unit_skip(reason)

#endif
