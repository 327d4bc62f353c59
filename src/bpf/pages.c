/* SPDX-License-Identifier: MIT */
/*
 * kcore has a segment for each stretch of memory, at the address where the kernel has all of
 * it mapped and with its physical address, and one for that stretch's array of struct page:
 *
 *	memory		direct + physical			size
 *	struct page	vmemmap + physical / 4096 * 64		size / 4096 * 64
 *
 * the latter in whole pages and without a physical address. Where arrays of two stretches
 * share a page, the later one is cut or missing (get_sparsemem_vmemmap_info() in the
 * kernel's fs/proc/kcore.c). The sizes tell that struct page has 64 bytes.
 */
#include "bpf/pages.h"

#include <bcc/libbpf.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "bpf/kernel.h"

#define PAGE 4096ULL
#define BASE_STEP (1ULL << 30)             /* the kernel moves its bases by so much */
#define KERNEL_HALF (1ULL << 63)           /* addresses of the kernel begin here, */
#define KERNEL_IMAGE 0xffffffff80000000ULL /* and its code here */
#define NO_ADDRESS UINT64_MAX              /* a segment that is no memory */
#define MEMORY_MAX (1ULL << 52)            /* what the processor can address */
#define STRETCH_MIN (16ULL << 20)          /* large enough to tell the size of struct page */
#define HEADERS_MAX 1024

/* A segment, from its beginning up to its end. */
struct segment {
	uint64_t at, end;
	uint64_t physical; /* or NO_ADDRESS */
};

struct segments {
	struct segment v[HEADERS_MAX];
	int n;
};

static bool is_memory(const struct segment *s)
{
	return s->physical != NO_ADDRESS;
}

/* What may be memory or an array of struct page; the rest is left out. */
static const char *take_segments(const char *elf, size_t len, struct segments *out)
{
	Elf64_Phdr p;
	Elf64_Ehdr e;
	size_t i;

	if (len < sizeof(e))
		return "it is cut short";
	memcpy(&e, elf, sizeof(e));
	if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_ident[EI_CLASS] != ELFCLASS64 ||
	    e.e_machine != EM_X86_64 || e.e_type != ET_CORE || e.e_phentsize != sizeof(p))
		return "it is no core file of x86-64";
	if (e.e_phnum > HEADERS_MAX)
		return "it has too many segments";
	if (e.e_phoff > len || len - e.e_phoff < e.e_phnum * sizeof(p))
		return "it is cut short";
	for (i = 0; i < e.e_phnum; i++) {
		memcpy(&p, elf + e.e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type != PT_LOAD || p.p_vaddr < KERNEL_HALF || p.p_vaddr >= KERNEL_IMAGE)
			continue;
		if (p.p_paddr == NO_ADDRESS && (p.p_vaddr | p.p_memsz) % PAGE)
			continue; /* that of vmalloc() ends one byte early */
		if (!p.p_memsz || p.p_memsz > KERNEL_IMAGE - p.p_vaddr ||
		    (p.p_vaddr | p.p_memsz) % PAGE)
			return "a segment is not made of pages";
		if (p.p_paddr != NO_ADDRESS &&
		    (p.p_paddr % PAGE || p.p_paddr >= MEMORY_MAX || p.p_memsz > MEMORY_MAX))
			return "a segment has an address that no memory has";
		out->v[out->n++] = (struct segment){ .at = p.p_vaddr,
						     .end = p.p_vaddr + p.p_memsz,
						     .physical = p.p_paddr };
	}
	return NULL;
}

/* Where all memory is mapped, and how many pages there are. */
static const char *find_direct(const struct segments *all, struct lnk_pages *out)
{
	const struct segment *s;
	uint64_t direct, end;

	for (s = all->v; s < all->v + all->n; s++) {
		if (!is_memory(s))
			continue;
		direct = s->at - s->physical;
		end = (s->end - direct) / PAGE;
		if (out->count && direct != out->direct)
			return "its segments of memory do not agree";
		out->direct = direct;
		out->count = end > out->count ? end : out->count;
	}
	if (!out->count)
		return "it has no segments of memory";
	return out->direct % BASE_STEP || out->direct < KERNEL_HALF
		       ? "memory is mapped where it is on no kernel"
		       : NULL;
}

/* The array of a stretch of memory, from where all arrays begin. */
static struct segment array_of(const struct segment *memory, uint64_t direct)
{
	uint64_t from = (memory->at - direct) / PAGE * LNK_STRUCT_PAGE;
	uint64_t to = (memory->end - direct) / PAGE * LNK_STRUCT_PAGE;

	return (struct segment){ .at = from / PAGE * PAGE, .end = (to + PAGE - 1) / PAGE * PAGE };
}

/* Whether it has the array's page in common with another one. */
static bool shares(const struct segments *all, const struct segment *memory, uint64_t direct)
{
	struct segment a = array_of(memory, direct), b;
	const struct segment *s;

	for (s = all->v; s < all->v + all->n; s++) {
		b = array_of(s, direct);
		if (is_memory(s) && s != memory && a.at < b.end && b.at < a.end)
			return true;
	}
	return false;
}

static bool has(const struct segments *all, uint64_t at, uint64_t end)
{
	const struct segment *s;

	for (s = all->v; s < all->v + all->n; s++)
		if (!is_memory(s) && s->at == at && s->end == end)
			return true;
	return false;
}

/* Whether each stretch of memory has its array where it would be then. */
static bool fits(const struct segments *all, uint64_t direct, uint64_t vmemmap)
{
	const struct segment *s;
	struct segment a;

	for (s = all->v; s < all->v + all->n; s++) {
		a = array_of(s, direct);
		if (is_memory(s) && !has(all, vmemmap + a.at, vmemmap + a.end) &&
		    !shares(all, s, direct))
			return false;
	}
	return true;
}

/* By the arrays of large stretches: one place, and only one, must fit. */
static const char *find_vmemmap(const struct segments *all, struct lnk_pages *out)
{
	const struct segment *s, *memory;
	uint64_t found = 0, vmemmap;
	struct segment a;

	for (memory = all->v; memory < all->v + all->n; memory++) {
		if (!is_memory(memory) || memory->end - memory->at < STRETCH_MIN)
			continue;
		a = array_of(memory, out->direct);
		for (s = all->v; s < all->v + all->n; s++) {
			vmemmap = s->at - a.at;
			if (is_memory(s) || s->end - s->at != a.end - a.at || vmemmap % BASE_STEP ||
			    vmemmap < KERNEL_HALF || vmemmap == found ||
			    !fits(all, out->direct, vmemmap))
				continue;
			if (found)
				return "its segments of struct page can be read in two ways";
			found = vmemmap;
		}
	}
	out->array = found;
	return found ? NULL : "it has no segments of struct page that fit its memory";
}

const char *pages_parse(const char *elf, size_t len, struct lnk_pages *out)
{
	struct segments all = { .n = 0 };
	const char *why = take_segments(elf, len, &all);

	*out = (struct lnk_pages){ 0 };
	if (!why)
		why = find_direct(&all, out);
	if (!why)
		why = find_vmemmap(&all, out);
	if (why)
		*out = (struct lnk_pages){ 0 };
	return why;
}

/* --- this host -------------------------------------------------------------------- */

static struct lnk_pages known;

/* The headers, and nothing behind them: what follows is memory. */
static const char *read_headers(int fd, struct lnk_pages *out)
{
	char bytes[sizeof(Elf64_Ehdr) + HEADERS_MAX * sizeof(Elf64_Phdr)];
	Elf64_Ehdr e;
	size_t len;

	if (pread(fd, bytes, sizeof(e), 0) != sizeof(e))
		return "it cannot be read";
	memcpy(&e, bytes, sizeof(e));
	len = e.e_phnum * sizeof(Elf64_Phdr);
	if (e.e_phoff != sizeof(e) || len > sizeof(bytes) - sizeof(e))
		return "it is not as it is on any kernel";
	if (pread(fd, bytes + sizeof(e), len, sizeof(e)) != (ssize_t)len)
		return "it cannot be read";
	return pages_parse(bytes, sizeof(e) + len, out);
}

static const char *look(struct lnk_pages *out)
{
	const char *why;
	int fd;

#ifndef __x86_64__
	return "not on this architecture";
#endif
	if (!kernel_is_since(5, 4))
		return "not before Linux 5.4";
	fd = open(PAGES_PATH, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return strerror(errno);
	why = read_headers(fd, out);
	close(fd);
	return why;
}

bool pages_known(const char **why)
{
	static const char *missing;
	static bool looked;

	if (!looked)
		missing = look(&known);
	looked = true;
	*why = missing;
	return !missing;
}

void pages_fill(int map_fd)
{
	uint32_t zero = 0;

	bpf_update_elem(map_fd, &zero, &known, BPF_ANY);
}
