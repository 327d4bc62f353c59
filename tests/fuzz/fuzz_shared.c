/* SPDX-License-Identifier: MIT */
/*
 * Rings in shared memory of any contents, which change between two looks: whatever stands
 * there, a sample lies in the slot of its turn, and a turn ends.
 */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "bpf/shared.h"
#include "probes/event.h"

#define SLOTS 8

static struct {
	struct shared *sh;
	int ring;
	size_t sample;
	size_t samples;
	uint64_t sum;
} run;

static void on_sample(void *arg, int ring, const void *data, size_t size)
{
	const uint8_t *p = data;
	size_t i;

	(void)arg;
	REQUIRE(ring == 1000 + run.ring && size == run.sample);
	for (i = 0; i < size; i++) /* outside of the mapping is nothing that could be read */
		run.sum += p[i];
	run.samples++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	int hooks = 1 + (int)(take_number(&in, 1) % 4), cpus = 1 + (int)(take_number(&in, 1) % 3);
	int extra = (int)(take_number(&in, 1) % (LNK_MAX_EXTRA + 1)), fd, i;
	size_t page = (size_t)sysconf(_SC_PAGESIZE), len, n, slot = LNK_SLOT_SIZE((size_t)extra);
	size_t all = ((size_t)(hooks * cpus) * (1 + SLOTS) * slot + page - 1) & ~(page - 1), at;
	uint64_t due[12] = { 0 }, number;
	uint8_t *bytes;

	fd = memfd_create("rings", MFD_CLOEXEC);
	REQUIRE(fd >= 0 && !ftruncate(fd, (off_t)all));
	REQUIRE(!shared_open(&run.sh, fd, hooks, cpus, SLOTS, extra));
	run.sample = LNK_RECORD_SIZE((size_t)extra);
	while (in.left) {
		run.ring = (int)(take_number(&in, 1) % (size_t)(hooks * cpus));
		switch (take_number(&in, 1) % 4) {
		case 0: /* anything, anywhere */
			at = take_number(&in, 2) % all;
			bytes = take_bytes(&in, 64, &len);
			len = len < all - at ? len : all - at;
			REQUIRE(pwrite(fd, bytes, len, (off_t)at) == (ssize_t)len);
			free(bytes);
			break;
		case 1: /* the event that is due */
			number = due[run.ring] + 1;
			at = ((size_t)(hooks * cpus) + (size_t)run.ring * SLOTS +
			      due[run.ring] % SLOTS) *
			     slot;
			REQUIRE(pwrite(fd, &number, sizeof(number), (off_t)at) == sizeof(number));
			REQUIRE(!shared_is_empty(run.sh));
			break;
		case 2:
			shared_set_prompt(run.sh, take_number(&in, 1) & 1);
			break;
		default:
			run.samples = 0;
			n = shared_drain(run.sh, run.ring, 1000, on_sample, NULL);
			REQUIRE(n == run.samples && n <= SLOTS);
			due[run.ring] += n;
		}
	}
	REQUIRE(shared_count(run.sh) == hooks * cpus);
	for (i = 0; i < hooks * cpus; i++) {
		run.ring = i;
		run.samples = 0;
		REQUIRE(shared_drain(run.sh, i, 1000, on_sample, NULL) == run.samples);
	}
	shared_close(run.sh);
	close(fd);
	return 0;
}
