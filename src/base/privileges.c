/* SPDX-License-Identifier: MIT */
/*
 * By system calls and not through libcap: this is all there is to it, and base knows the
 * C library only.
 */
#include "base/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>

/* --- capabilities ----------------------------------------------------------------- */

struct caps {
	uint64_t effective, permitted, inheritable;
};

static int get_caps(struct caps *c)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	*c = (struct caps){ 0 }; /* none, should this fail without an errno */
	if (syscall(SYS_capget, &h, d))
		return -errno;
	c->effective = d[0].effective | (uint64_t)d[1].effective << 32;
	c->permitted = d[0].permitted | (uint64_t)d[1].permitted << 32;
	c->inheritable = d[0].inheritable | (uint64_t)d[1].inheritable << 32;
	return 0;
}

static int set_caps(const struct caps *c)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = {
		{ (uint32_t)c->effective, (uint32_t)c->permitted, (uint32_t)c->inheritable },
		{ (uint32_t)(c->effective >> 32), (uint32_t)(c->permitted >> 32),
		  (uint32_t)(c->inheritable >> 32) },
	};

	return syscall(SYS_capset, &h, d) ? -errno : 0;
}

/* Needs CAP_SETPCAP; without it no_new_privs alone bars the way. */
static void empty_bounding_set(void)
{
	int cap;

	for (cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

int privileges_bar(void)
{
	empty_bounding_set();
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

bool privileges_have(uint64_t caps)
{
	struct caps c;

	return !get_caps(&c) && !(caps & ~c.permitted);
}

int privileges_drop(uint64_t keep, uint64_t effective)
{
	struct caps c;
	int err;

	err = get_caps(&c);
	if (err)
		return err;
	c.permitted &= keep;
	c.effective = c.permitted & effective;
	c.inheritable = 0;
	return set_caps(&c);
}

uint64_t privileges_raise(void)
{
	struct caps c, all;

	if (get_caps(&c))
		return 0;
	all = c;
	all.effective = c.permitted;
	if (all.effective != c.effective)
		set_caps(&all);
	return c.effective;
}

void privileges_set(uint64_t effective)
{
	struct caps c;

	if (get_caps(&c) || c.effective == effective)
		return;
	c.effective = effective & c.permitted;
	set_caps(&c);
}

/* --- system calls ----------------------------------------------------------------- */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
/* the sanitizers' run-time library has needs of its own */
#elif defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define FILTER_ARCH AUDIT_ARCH_RISCV64
#endif

#ifndef FILTER_ARCH

int privileges_filter(bool messages)
{
	(void)messages;
	return -ENOSYS;
}

int privileges_filter_reader(void)
{
	return -ENOSYS;
}

#else

#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW 4
#endif

#define FIELD(f) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, f))
/* The lower half of an argument, on machines whose words begin with it. */
#define ARGUMENT(n) FIELD(args[n])
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define ALLOW_IF(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1), ALLOW
#define CALL(name) ALLOW_IF(SYS_##name)
/* The `n` instructions that follow are for this call alone. */
#define ONLY_FOR(name, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, (n))

/* struct termios2 for tcgetattr(), tcsetattr() and isatty() of glibc 2.42; its header does not
 * go together with the C library's. */
#define TERMIOS2_GET 0x802c542a /* TCGETS2 */
#define TERMIOS2_SET 0x402c542b /* TCSETS2 */

#define NATIVE_CALLS_ONLY                                                                          \
	FIELD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0), REFUSE, FIELD(nr)

/* What is open; the C library's memory, which cannot be run, and time; the end. */
#define ANY_PROCESS                                                                                \
	CALL(read), CALL(write), CALL(lseek), CALL(close), CALL(fstat), CALL(newfstatat),          \
		CALL(getdents64), CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise),            \
		CALL(futex), CALL(getrandom), CALL(clock_gettime), CALL(clock_nanosleep),          \
		CALL(nanosleep), CALL(restart_syscall), CALL(rt_sigprocmask), CALL(rt_sigreturn),  \
		CALL(exit), CALL(exit_group), ONLY_FOR(mmap, 4), ARGUMENT(2),                      \
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), REFUSE, ALLOW

/*
 * No call that opens, makes, changes or removes a file, makes or signals a process, or
 * reaches a network: the descriptors that are open are all there will be, but for a perf
 * ring of a CPU that comes online.
 */
static struct sock_filter filter[] = {
	NATIVE_CALLS_ONLY,
	ANY_PROCESS, /* getdents64: /run/netns, for namespaces that get a name while rows come */

	/* rows, messages, signals, what was opened before */
	CALL(pread64),
	CALL(readv),
	CALL(writev),
	CALL(ppoll),
#ifdef SYS_poll
	CALL(poll),
#endif
	CALL(getpid),
	CALL(gettid),
	CALL(getuid),
	CALL(geteuid),
	CALL(gettimeofday),

	/* counters; a ring's entry in its map; what the kernel missed */
	ONLY_FOR(bpf, 8),
	ARGUMENT(0),
	ALLOW_IF(BPF_MAP_LOOKUP_ELEM),
	ALLOW_IF(BPF_MAP_UPDATE_ELEM),
	ALLOW_IF(BPF_OBJ_GET_INFO_BY_FD),
	REFUSE,

	/* a ring for a CPU that came online; capabilities only ever become fewer */
	CALL(perf_event_open),
	CALL(capget),
	CALL(capset),
	ONLY_FOR(ioctl, 16),
	ARGUMENT(1),
	ALLOW_IF(PERF_EVENT_IOC_ENABLE),
	ALLOW_IF(PERF_EVENT_IOC_SET_OUTPUT),
	ALLOW_IF(TCGETS),     /* isatty() */
	ALLOW_IF(TIOCGWINSZ), /* does a block of -s fit? */
	ALLOW_IF(TCSETS),     /* the mode of the console's terminal, there and back */
	ALLOW_IF(TERMIOS2_GET),
	ALLOW_IF(TERMIOS2_SET),
	REFUSE,

	/* to and from the broker; where there is none the list ends before */
	CALL(sendmsg),
	CALL(recvmsg),

	REFUSE,
};
#define CALLS (sizeof(filter) / sizeof(filter[0]))
#define BEFORE_MESSAGES (CALLS - 5)

/* Directories, links and files, to be read; one socket. */
static struct sock_filter reader_filter[] = {
	NATIVE_CALLS_ONLY,
	ANY_PROCESS,

	CALL(readlinkat),
	CALL(fcntl), /* fdopendir() */
	CALL(recvfrom),
	CALL(ppoll),

	ONLY_FOR(openat, 4),
	ARGUMENT(2),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0, 1),
	REFUSE,
	ALLOW,

	REFUSE,
};

static int install(struct sock_filter *v, size_t n)
{
	const struct sock_fprog prog = { (unsigned short)n, v };

	/* the flag (Linux 4.17): a filter alone is no reason to run slower for Spectre */
	if (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &prog) ||
	    !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog))
		return 0;
	return errno == EINVAL ? -ENOSYS : -errno;
}

int privileges_filter(bool messages)
{
	if (!messages)
		filter[BEFORE_MESSAGES] = (struct sock_filter)REFUSE;
	return install(filter, CALLS);
}

int privileges_filter_reader(void)
{
	return install(reader_filter, sizeof(reader_filter) / sizeof(reader_filter[0]));
}

#endif
