/* SPDX-License-Identifier: MIT */
#include "app/buffers.h"

#include "bpf/cpus.h"
#include "bpf/shared.h"

unsigned int buffers_pages(const struct config *conf)
{
	/* 2 MiB a CPU on small hosts; on large ones the rings together should not take more
	 * than some tens of MiB */
	int cpus = cpus_possible(), budget = 4;
	unsigned int pages = 512;

	if (conf->buffer_pages)
		return conf->buffer_pages;
	for (; pages > 64 && cpus > budget; budget *= 2)
		pages /= 2;
	return pages;
}

unsigned int buffers_slots(const struct config *conf)
{
	/* with -s nothing is sent */
	return conf->buffer == BUFFER_SHARED && !conf->stats ? shared_slots(buffers_pages(conf))
							     : 0;
}
