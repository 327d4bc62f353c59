/* SPDX-License-Identifier: MIT */
/*
 * Nothing in the shared memory is believed: it says whether there is an event, never where
 * one is or how long.
 */
#include "bpf/shared.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/kernel.h"
#include "probes/event.h"

/* How often the probes are told how far we have read, while a ring is read. */
#define TELL_EVERY 256

struct shared {
	char *memory;
	size_t size;
	size_t slot_size;
	size_t sample_size;
	int n;
	uint64_t slots; /* of each ring */
	bool prompt;
	uint64_t next[]; /* the first event that has not been read, by ring */
};

const char *shared_refusal(void)
{
#if defined(__x86_64__)
	if (kernel_is_since(6, 2))
		return NULL;
	return "before Linux 6.2 a probe may interrupt itself";
#else
	return "it leans on the order of memory of x86-64";
#endif
}

unsigned int shared_slots(unsigned int pages)
{
	return pages * (unsigned int)sysconf(_SC_PAGESIZE) / 4 / LNK_SLOT_SIZE(0);
}

static struct lnk_position *position(const struct shared *sh, int i)
{
	return (struct lnk_position *)(void *)(sh->memory + (size_t)i * sh->slot_size);
}

static char *slot(const struct shared *sh, int i, uint64_t event)
{
	size_t at = (size_t)sh->n + (size_t)i * sh->slots + (event & (sh->slots - 1));

	return sh->memory + at * sh->slot_size;
}

static bool is_ready(const struct shared *sh, int i, uint64_t event)
{
	const uint64_t *ready = (const uint64_t *)(const void *)slot(sh, i, event);

	return __atomic_load_n(ready, __ATOMIC_ACQUIRE) == event + 1;
}

static void tell(const struct shared *sh, int i)
{
	__atomic_store_n(&position(sh, i)->tail, sh->next[i], __ATOMIC_RELEASE);
}

static void ask_to_be_woken(const struct shared *sh, int i)
{
	uint64_t ahead = sh->prompt ? 0 : sh->slots / 4;

	__atomic_store_n(&position(sh, i)->wake_at, sh->next[i] + ahead, __ATOMIC_RELEASE);
}

int shared_open(struct shared **out, int map_fd, int hooks, int cpus, unsigned int slots, int extra)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int n = hooks * cpus, i, err;
	struct shared *sh;

	sh = calloc(1, sizeof(*sh) + (size_t)n * sizeof(sh->next[0]));
	if (!sh)
		return -ENOMEM;
	sh->n = n;
	sh->slots = slots;
	sh->sample_size = LNK_RECORD_SIZE((size_t)extra);
	sh->slot_size = LNK_SLOT_SIZE((size_t)extra);
	sh->size = ((size_t)n * (1 + slots) * sh->slot_size + page - 1) & ~(page - 1);
	sh->memory = mmap(NULL, sh->size, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (sh->memory == MAP_FAILED) {
		err = -errno;
		free(sh);
		return err;
	}
	for (i = 0; i < n; i++)
		ask_to_be_woken(sh, i);
	*out = sh;
	return 0;
}

void shared_close(struct shared *sh)
{
	if (!sh)
		return;
	munmap(sh->memory, sh->size);
	free(sh);
}

void shared_set_prompt(struct shared *sh, bool prompt)
{
	int i;

	sh->prompt = prompt;
	for (i = 0; i < sh->n; i++)
		ask_to_be_woken(sh, i);
}

int shared_count(const struct shared *sh)
{
	return sh->n;
}

size_t shared_drain(struct shared *sh, int i, int first, rings_sample_fn sample, void *arg)
{
	uint64_t n;

	for (n = 0; n < sh->slots && is_ready(sh, i, sh->next[i]); n++) {
		sample(arg, first + i, slot(sh, i, sh->next[i]) + sizeof(uint64_t),
		       sh->sample_size);
		if (!(++sh->next[i] % TELL_EVERY))
			tell(sh, i);
	}
	if (n) {
		tell(sh, i);
		ask_to_be_woken(sh, i);
	}
	return (size_t)n;
}

bool shared_is_empty(const struct shared *sh)
{
	int i;

	for (i = 0; i < sh->n; i++)
		if (is_ready(sh, i, sh->next[i]))
			return false;
	return true;
}
