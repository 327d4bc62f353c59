/* SPDX-License-Identifier: MIT */
/* Where pages lie, by the headers of kcore files that were made up. */
#include "unit.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "bpf/pages.h"

#define GIB (1ULL << 30)
#define DIRECT 0xffff888000000000ULL
#define VMEMMAP 0xffffea0000000000ULL
#define NONE UINT64_MAX

static struct {
	Elf64_Ehdr e;
	Elf64_Phdr p[1100];
} core;
static struct lnk_pages found;

static Elf64_Phdr *add(uint64_t at, uint64_t physical, uint64_t size)
{
	Elf64_Phdr *p = &core.p[core.e.e_phnum++];

	*p = (Elf64_Phdr){ .p_type = PT_LOAD,
			   .p_flags = PF_R | PF_W | PF_X,
			   .p_vaddr = at,
			   .p_paddr = physical,
			   .p_filesz = size,
			   .p_memsz = size,
			   .p_align = 4096 };
	return p;
}

static void add_array(uint64_t vmemmap, uint64_t from, uint64_t size)
{
	uint64_t at = vmemmap + from / 4096 * 64 / 4096 * 4096;
	uint64_t end = vmemmap + ((from + size) / 4096 * 64 + 4095) / 4096 * 4096;

	add(at, NONE, end - at);
}

static void add_memory(uint64_t direct, uint64_t vmemmap, uint64_t from, uint64_t size)
{
	add(direct + from, from, size);
	add_array(vmemmap, from, size);
}

/* What every kcore begins with. */
static void begin(void)
{
	memset(&core, 0, sizeof(core));
	memcpy(core.e.e_ident, ELFMAG, SELFMAG);
	core.e.e_ident[EI_CLASS] = ELFCLASS64;
	core.e.e_type = ET_CORE;
	core.e.e_machine = EM_X86_64;
	core.e.e_phoff = sizeof(core.e);
	core.e.e_phentsize = sizeof(core.p[0]);
	core.p[core.e.e_phnum++] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_filesz = 10028 };
	add(0xffffffff81000000, 0x1000000, 0x3430000); /* the kernel */
	add(0xffffc90000000000, NONE, 0x1fffffffffff); /* vmalloc() */
	add(0xffffffffc0000000, NONE, 0x3f000000);     /* modules */
}

static const char *parse(void)
{
	return pages_parse((const char *)&core, sizeof(core.e) + core.e.e_phnum * sizeof(core.p[0]),
			   &found);
}

static void known(uint64_t direct, uint64_t vmemmap, uint64_t end)
{
	const char *why = parse();

	CHECK_STR(why ? why : "", "");
	CHECK_INT(found.direct, direct);
	CHECK_INT(found.array, vmemmap);
	CHECK_INT(found.count, end / 4096);
}

static void refused(const char *want)
{
	const char *why = parse();

	CHECK_STR(why ? why : "taken", want);
	CHECK_INT(found.direct | found.array | found.count, 0);
}

/* As Linux 6.1 has them in a machine of 1 GiB. */
static void small(uint64_t direct, uint64_t vmemmap)
{
	begin();
	add_memory(direct, vmemmap, 0x1000, 0x9e000);
	add_memory(direct, vmemmap, 0x100000, 0x3fee0000);
}

TEST(a_small_machine)
{
	small(DIRECT, VMEMMAP);
	CHECK_INT(core.p[7].p_vaddr, 0xffffea0000004000);
	CHECK_INT(core.p[7].p_memsz, 0xffc000);
	known(DIRECT, VMEMMAP, 0x3ffe0000);
}

TEST(at_random_places)
{
	small(0xffff8f1c40000000, 0xfffff0a780000000);
	known(0xffff8f1c40000000, 0xfffff0a780000000, 0x3ffe0000);
	/* five levels of page tables */
	small(0xff11003140000000, 0xffd40012c0000000);
	known(0xff11003140000000, 0xffd40012c0000000, 0x3ffe0000);
}

/* The gap below 4 GiB, and nodes that are alike, so that arrays could be mixed up. */
TEST(a_large_machine)
{
	uint64_t node;

	small(DIRECT, VMEMMAP);
	add_memory(DIRECT, VMEMMAP, 0x40000000, 0x3c0f7000);
	add_memory(DIRECT, VMEMMAP, 4 * GIB, 60 * GIB);
	for (node = 1; node < 8; node++)
		add_memory(DIRECT, VMEMMAP, node * 64 * GIB, 60 * GIB);
	known(DIRECT, VMEMMAP, (7 * 64 + 60) * GIB);
}

/* Of neighbours whose arrays meet in a page the later is cut, or has no array at all. */
TEST(arrays_that_share_a_page)
{
	begin();
	add_memory(DIRECT, VMEMMAP, 0x1000, 0x84000);
	add(DIRECT + 0x90000, 0x90000, 0xf000);
	add_memory(DIRECT, VMEMMAP, 0x100000, 0x3fee0000);
	known(DIRECT, VMEMMAP, 0x3ffe0000);
	/* a later one that lies before: its end is cut */
	add(DIRECT + 0x9f000, 0x9f000, 0x40000);
	known(DIRECT, VMEMMAP, 0x3ffe0000);
}

TEST(hundreds_of_stretches)
{
	uint64_t i;

	small(DIRECT, VMEMMAP);
	for (i = 1; i <= 508; i++)
		add_memory(DIRECT, VMEMMAP, i * GIB, GIB / 2);
	known(DIRECT, VMEMMAP, 508 * GIB + GIB / 2);
	add(DIRECT + 600 * GIB, 600 * GIB, 4096);
	refused("it has too many segments");
}

/* --- lies -------------------------------------------------------------------------- */

TEST(no_core_file)
{
	size_t len;

	small(DIRECT, VMEMMAP);
	for (len = 0; len < sizeof(core.e) + core.e.e_phnum * sizeof(core.p[0]); len += 8)
		CHECK_STR(pages_parse((const char *)&core, len, &found), "it is cut short");
	core.e.e_machine = EM_AARCH64;
	refused("it is no core file of x86-64");
	small(DIRECT, VMEMMAP);
	core.e.e_type = ET_EXEC;
	refused("it is no core file of x86-64");
	small(DIRECT, VMEMMAP);
	core.e.e_ident[0] = 0;
	refused("it is no core file of x86-64");
	small(DIRECT, VMEMMAP);
	core.e.e_phoff = UINT64_MAX - 8;
	refused("it is cut short");
}

TEST(memory_that_does_not_agree)
{
	begin();
	refused("it has no segments of memory");
	small(DIRECT, VMEMMAP);
	add(DIRECT + 4 * GIB + 4096, 4 * GIB, GIB);
	refused("its segments of memory do not agree");
	small(DIRECT + 4096, VMEMMAP);
	refused("memory is mapped where it is on no kernel");
	small(DIRECT, VMEMMAP);
	core.p[4].p_paddr++;
	refused("a segment has an address that no memory has");
	small(DIRECT, VMEMMAP);
	core.p[4].p_memsz++;
	refused("a segment is not made of pages");
	small(DIRECT, VMEMMAP);
	core.p[4].p_memsz = UINT64_MAX - 4095;
	refused("a segment is not made of pages");
}

#define NO_ARRAYS "it has no segments of struct page that fit its memory"

TEST(arrays_that_do_not_fit)
{
	/* CONFIG_SPARSEMEM without VMEMMAP */
	begin();
	add(DIRECT + 0x100000, 0x100000, 0x3fee0000);
	refused(NO_ARRAYS);
	small(DIRECT, VMEMMAP + GIB / 2);
	refused(NO_ARRAYS);
	/* a struct page of 128 bytes */
	small(DIRECT, VMEMMAP);
	core.p[7].p_vaddr = VMEMMAP + 0x100 * 128;
	core.p[7].p_memsz *= 2;
	refused(NO_ARRAYS);
	/* one of the stretches has its array elsewhere, or none */
	small(DIRECT, VMEMMAP);
	core.p[5].p_vaddr += 4096;
	refused(NO_ARRAYS);
	small(DIRECT, VMEMMAP);
	add(DIRECT + 4 * GIB, 4 * GIB, GIB);
	refused(NO_ARRAYS);
	/* two that share a page, and an array that is too short for either */
	begin();
	add(DIRECT + 0x1000, 0x1000, 0x84000);
	add(DIRECT + 0x90000, 0x90000, 0x3ff00000);
	add(VMEMMAP + 0x2000, NONE, 0x5000);
	refused(NO_ARRAYS);
	/* so little memory says nothing of the size */
	begin();
	add_memory(DIRECT, VMEMMAP, 0x100000, 0x100000);
	refused(NO_ARRAYS);
}

TEST(arrays_in_two_places)
{
	small(DIRECT, VMEMMAP);
	add_array(VMEMMAP + 5 * GIB, 0x1000, 0x9e000);
	add_array(VMEMMAP + 5 * GIB, 0x100000, 0x3fee0000);
	refused("its segments of struct page can be read in two ways");
}

TEST(this_host)
{
	const char *why = "", *again = "";
	bool there = pages_known(&why);

	CHECK_INT(pages_known(&again), there);
	CHECK(there ? !why && !again : why && why == again);
}
