/* SPDX-License-Identifier: MIT */
#include "bpf/kernel.h"

#include <bcc/libbpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <linux/bpf.h>

#include "base/io.h"

/* Debian 11's libcap does not know these two. */
#define CAP_NR_PERFMON 38
#define CAP_NR_BPF 39

#define KALLSYMS "/proc/kallsyms"

/* ENOTSUPP, which the kernel lets out although it is none of user space's. */
#define KERNEL_ENOTSUPP 524

/* x86-64 can attach programs of type TRACING for as long as there are any. Elsewhere the
 * kernel says so only when it is asked: arm64 can since 6.4. */
#ifndef TRACING_ATTACHES
#if defined(__x86_64__)
#define TRACING_ATTACHES true
#else
#define TRACING_ATTACHES false
#endif
#endif

static bool have_cap(cap_t caps, cap_value_t cap)
{
	cap_flag_value_t v = CAP_CLEAR;

	return !cap_get_flag(caps, cap, CAP_EFFECTIVE, &v) && v == CAP_SET;
}

bool kernel_may_trace(void)
{
	cap_t caps = cap_get_proc();
	bool may;

	if (!caps)
		return geteuid() == 0;
	may = have_cap(caps, CAP_SYS_ADMIN) ||
	      (have_cap(caps, CAP_NR_BPF) && have_cap(caps, CAP_NR_PERFMON));
	cap_free(caps);
	return may;
}

bool kernel_is_since(int major, int minor)
{
	int is_major = 0, is_minor = 0;
	struct utsname un;

	return !uname(&un) && sscanf(un.release, "%d.%d", &is_major, &is_minor) == 2 &&
	       (is_major > major || (is_major == major && is_minor >= minor));
}

bool kernel_locked_down(void)
{
	struct text t = { 0 };
	bool locked;

	read_file_at(AT_FDCWD, "/sys/kernel/security/lockdown", &t, 4096);
	locked = strstr(text_str(&t), "[confidentiality]");
	text_free(&t);
	return locked;
}

bool kernel_has_kprobe_pmu(void)
{
	return !access("/sys/bus/event_source/devices/kprobe/type", F_OK);
}

bool kernel_has_kprobes(void)
{
	char path[128];
	const char *dir = kernel_tracefs();

	if (kernel_has_kprobe_pmu())
		return true;
	if (!dir)
		return false;
	snprintf(path, sizeof(path), "%s/kprobe_events", dir);
	return !access(path, F_OK);
}

const char *kernel_kprobe_refusal(void)
{
	if (kernel_has_kprobes())
		return NULL;
	if (kernel_tracefs())
		return "this kernel has no kprobes";
	return "this kernel has no kprobes, or only through tracefs, which is not "
	       "mounted: " TRACEFS_HINT;
}

/* Loads a program. Returns its descriptor or -errno. */
static int load(int type, int attach_type, int btf_id, const struct bpf_insn *insns, size_t n)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit locked = unlimited;
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = (uint32_t)type;
	attr.expected_attach_type = (uint32_t)attach_type;
	attr.attach_btf_id = (uint32_t)btf_id;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = (uint32_t)n;
	attr.license = (uint64_t)(uintptr_t) "GPL";
	/* before 5.11 a program counts as locked memory, with the rings of other instances: at
	 * the limit any program gets EPERM */
	if (!getrlimit(RLIMIT_MEMLOCK, &locked))
		setrlimit(RLIMIT_MEMLOCK, &unlimited);
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		fd = -errno;
	setrlimit(RLIMIT_MEMLOCK, &locked);
	return fd;
}

/* The program "return 0". */
static int load_nothing(int type, int attach_type, int btf_id)
{
	struct bpf_insn insns[] = { BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() };

	return load(type, attach_type, btf_id, insns, 2);
}

/* Returns the errno, or 0. Nothing is attached, and the program is gone when this returns. */
static int try_load(int type, int attach_type)
{
	int fd = load_nothing(type, attach_type, 0);

	if (fd < 0)
		return -fd;
	close(fd);
	return 0;
}

/* The function is in the kernel to be tried, and serves nothing else. Where it cannot be told,
 * the start will tell. */
static bool attaches_tracing(void)
{
	libbpf_print_fn_t old_print;
	int id, prog_fd, fd, err = 0;
	union bpf_attr attr;

	if (TRACING_ATTACHES)
		return true;
	old_print = libbpf_set_print(NULL);
	id = libbpf_find_vmlinux_btf_id("bpf_fentry_test1", BPF_TRACE_FENTRY);
	libbpf_set_print(old_print);
	prog_fd = id > 0 ? load_nothing(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, id) : -ENOENT;
	if (prog_fd < 0)
		return true;
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.prog_fd = (uint32_t)prog_fd;
	fd = (int)syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
	if (fd < 0)
		err = errno;
	else
		close(fd);
	close(prog_fd);
	return err != KERNEL_ENOTSUPP && err != EOPNOTSUPP;
}

/* Asked for each hook, and not any more when privileges have been given up. Before 5.11 a no
 * may mean that others hold all the memory that may be locked, and be another one later. */
const char *kernel_tracing_refusal(void)
{
	static int err = -1, attaches = -1;

	/* without a function to attach to, a kernel that takes them says EINVAL */
	if (err < 0 || (err == EPERM && !kernel_is_since(5, 11)))
		err = try_load(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY);
	if (err == EPERM || err == EACCES)
		return "this kernel refuses programs of type TRACING";
	if (attaches < 0)
		attaches = attaches_tracing();
	return attaches ? NULL
			: "this kernel takes programs of type TRACING and cannot attach them";
}

bool kernel_has_raw_tracepoints(void)
{
	int err = try_load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0);

	return err != EINVAL && err != E2BIG;
}

#define CALL(helper) ((struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = (helper) })

/* Both helpers take (where to, size, address). */
bool kernel_has_probe_reads(void)
{
	struct bpf_insn insns[] = {
		BPF_MOV64_REG(BPF_REG_1, BPF_REG_10),  BPF_ALU64_IMM(BPF_ADD, BPF_REG_1, -8),
		BPF_MOV64_IMM(BPF_REG_2, 8),           BPF_MOV64_IMM(BPF_REG_3, 0),
		CALL(BPF_FUNC_probe_read_user),        BPF_MOV64_REG(BPF_REG_1, BPF_REG_10),
		BPF_ALU64_IMM(BPF_ADD, BPF_REG_1, -8), BPF_MOV64_IMM(BPF_REG_2, 8),
		BPF_MOV64_IMM(BPF_REG_3, 0),           CALL(BPF_FUNC_probe_read_kernel),
		BPF_MOV64_IMM(BPF_REG_0, 0),           BPF_EXIT_INSN(),
	};

	int fd;

	fd = load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, insns, sizeof(insns) / sizeof(insns[0]));
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool kernel_has_btf(void)
{
	return !access("/sys/kernel/btf/vmlinux", R_OK);
}

bool kernel_has_casts(void)
{
#if defined(__x86_64__) || defined(__aarch64__)
	struct text t = { 0 };
	bool jit;

	/* there is no such file where the interpreter is not built in */
	read_file_at(AT_FDCWD, "/proc/sys/net/core/bpf_jit_enable", &t, 16);
	jit = text_str(&t)[0] != '0';
	text_free(&t);
	return jit && kernel_has_btf() && kernel_is_since(6, 2);
#else
	return false;
#endif
}

const char *kernel_tracefs(void)
{
	if (!access("/sys/kernel/tracing/events", F_OK))
		return "/sys/kernel/tracing";
	if (!access("/sys/kernel/debug/tracing/events", F_OK))
		return "/sys/kernel/debug/tracing";
	return NULL;
}

unsigned int tracepoint_offset(const char *format, const char *field)
{
	const char *line = format, *end, *p;
	size_t n = strlen(field);
	unsigned long v;

	/* "\tfield:void * skbaddr;\toffset:8;\tsize:8;\tsigned:0;" */
	for (; *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		p = memchr(line, ';', (size_t)(end - line));
		if (!p || (size_t)(p - line) <= n || strncmp(p - n, field, n) ||
		    !strchr(" *", p[-(long)n - 1]))
			continue;
		p += 1 + strspn(p + 1, " \t");
		if (strncmp(p, "offset:", 7))
			continue;
		v = strtoul(p + 7, NULL, 10);
		return v < 4096 ? (unsigned int)v : 0;
	}
	return 0;
}

unsigned int kernel_tracepoint_offset(const char *category, const char *event, const char *field)
{
	struct text path = { 0 }, t = { 0 };
	unsigned int offset = 0;

	if (!kernel_tracefs())
		return 0;
	text_printf(&path, "%s/events/%s/%s/format", kernel_tracefs(), category, event);
	if (!read_file_at(AT_FDCWD, text_str(&path), &t, 1 << 20))
		offset = tracepoint_offset(text_str(&t), field);
	text_free(&path);
	text_free(&t);
	return offset;
}

/* One line of kallsyms: "address type name[\t[module]]". */
static bool parse_symbol(char *line, uint64_t *address, char *type, char **name)
{
	char *p;

	*address = strtoull(line, &p, 16);
	if (p == line || p[0] != ' ' || !p[1] || p[2] != ' ')
		return false;
	*type = p[1];
	*name = p + 3;
	(*name)[strcspn(*name, " \t\n")] = '\0';
	return true;
}

/* Functions: global, local, weak. */
static bool is_code(char type)
{
	return strchr("tTwW", type);
}

/* A clone that the compiler made; its ".cold" part is another place. */
static bool clone_of(const char *symbol, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(symbol, name, n) &&
	       (!strncmp(symbol + n, ".constprop.", 11) || !strncmp(symbol + n, ".isra.", 6)) &&
	       !strstr(symbol + n, ".cold");
}

int kernel_find_symbol(const char *name, bool any_suffix, char *symbol, size_t size,
		       uint64_t *address)
{
	char *line = NULL, *sym, type;
	bool same = false;
	int err = -ENOENT;
	size_t cap = 0;
	uint64_t at;
	FILE *f;

	f = fopen(KALLSYMS, "re");
	if (!f)
		return -ENOENT;
	while (!same && getline(&line, &cap, f) > 0) {
		if (!parse_symbol(line, &at, &type, &sym) || !is_code(type) || strlen(sym) >= size)
			continue;
		same = !strcmp(sym, name); /* better than any clone */
		if (!same && (!err || !any_suffix || !clone_of(sym, name)))
			continue;
		strcpy(symbol, sym);
		*address = at;
		err = 0;
	}
	free(line);
	fclose(f);
	return err;
}

static FILE *kept_symbols;

void kernel_keep_symbols(void)
{
	if (!kept_symbols)
		kept_symbols = fopen(KALLSYMS, "re");
}

static void look_up(uint64_t address, struct text *out)
{
	char *line = NULL, *sym, best[256] = "", type;
	uint64_t at, best_at = 0;
	size_t cap = 0;
	FILE *f;

	f = kept_symbols ? kept_symbols : fopen(KALLSYMS, "re");
	if (!f)
		return;
	rewind(f);
	while (getline(&line, &cap, f) > 0) {
		if (!parse_symbol(line, &at, &type, &sym) || !is_code(type) || at > address ||
		    at < best_at || !at)
			continue;
		best_at = at;
		snprintf(best, sizeof(best), "%s", sym);
	}
	free(line);
	if (f != kept_symbols)
		fclose(f);
	if (best_at)
		text_printf(out, "%s+0x%" PRIx64, best, address - best_at);
}

/* Probes of several functions take turns, and each look-up reads all of kallsyms. */
#define KNOWN 64

void kernel_symbol_at(uint64_t address, struct text *out)
{
	static struct {
		uint64_t address;
		struct text name;
	} known[KNOWN];
	size_t i = (address >> 4) % KNOWN;

	if (!kept_symbols) {
		look_up(address, out);
		return;
	}
	if (known[i].address != address) {
		text_reset(&known[i].name);
		look_up(address, &known[i].name);
		known[i].address = address;
	}
	text_puts(out, text_str(&known[i].name));
}

unsigned int kernel_hz(void)
{
	struct timespec tick;

	/* the coarse clocks advance by the tick */
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || !tick.tv_nsec)
		return 1000;
	return (unsigned int)((1000000000 + tick.tv_nsec / 2) / tick.tv_nsec);
}
