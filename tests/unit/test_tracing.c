/* SPDX-License-Identifier: MIT */
/* Programs of type TRACING on a kernel that takes them and may not attach them. */
#include "unit.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>

#define PROGRAM 100
#define LINK 200
#define TEST_FUNCTION 7

/* The kernel; errnos, 0 for yes. */
static struct {
	int load, load_with_function, attach;
	int function; /* its number in BTF, or -errno */
	int attempts; /* to attach */
	int open;     /* descriptors */
} k;

static long refuse(int err)
{
	errno = err;
	return -1;
}

static long play_bpf(long number, ...)
{
	const union bpf_attr *attr;
	va_list ap;
	int cmd;

	va_start(ap, number);
	cmd = va_arg(ap, int);
	attr = va_arg(ap, const union bpf_attr *);
	va_end(ap);
	CHECK_INT(number, SYS_bpf);
	if (cmd == BPF_PROG_LOAD) {
		CHECK_INT(attr->prog_type, BPF_PROG_TYPE_TRACING);
		CHECK_INT(attr->expected_attach_type, BPF_TRACE_FENTRY);
		if (!attr->attach_btf_id)
			return refuse(k.load);
		CHECK_INT(attr->attach_btf_id, TEST_FUNCTION);
		if (k.load_with_function)
			return refuse(k.load_with_function);
		k.open++;
		return PROGRAM;
	}
	CHECK_INT(cmd, BPF_RAW_TRACEPOINT_OPEN);
	CHECK_INT(attr->raw_tracepoint.prog_fd, PROGRAM);
	k.attempts++;
	if (k.attach)
		return refuse(k.attach);
	k.open++;
	return LINK;
}

static int play_find(const char *name, int type)
{
	CHECK_STR(name, "bpf_fentry_test1");
	CHECK_INT(type, BPF_TRACE_FENTRY);
	return k.function;
}

static int play_close(int fd)
{
	CHECK(fd == PROGRAM || fd == LINK);
	k.open--;
	return 0;
}

#define TRACING_ATTACHES false
#define syscall(...) play_bpf(__VA_ARGS__)
#define close(fd) play_close(fd)
#define libbpf_find_vmlinux_btf_id(name, type) play_find(name, type)
#include "bpf/kernel.c" // NOLINT(bugprone-suspicious-include)

/* What a kernel that takes such programs says of one without a function. */
static void takes(void)
{
	memset(&k, 0, sizeof(k));
	k.load = EINVAL;
	k.function = TEST_FUNCTION;
}

TEST(attached)
{
	takes();
	CHECK(!kernel_tracing_refusal());
	CHECK(!kernel_tracing_refusal());
	CHECK_INT(k.attempts, 1);
	CHECK_INT(k.open, 0);
}

/* arm64 before 6.4 */
TEST(taken_and_not_attached)
{
	takes();
	k.attach = KERNEL_ENOTSUPP;
	CHECK_STR(kernel_tracing_refusal(),
		  "this kernel takes programs of type TRACING and cannot attach them");
	CHECK_INT(k.open, 0);
}

TEST(refused)
{
	takes();
	k.load = EPERM;
	CHECK_STR(kernel_tracing_refusal(), "this kernel refuses programs of type TRACING");
	CHECK_INT(k.attempts, 0);
}

/* Another hook may still go: the start finds out. */
TEST(what_cannot_be_told)
{
	takes();
	k.attach = EBUSY;
	CHECK(!kernel_tracing_refusal());
}

TEST(no_function_to_try)
{
	takes();
	k.function = -ENOENT;
	k.attach = KERNEL_ENOTSUPP;
	CHECK(!kernel_tracing_refusal());
	CHECK_INT(k.attempts, 0);
}

TEST(function_refused)
{
	takes();
	k.load_with_function = EINVAL;
	k.attach = KERNEL_ENOTSUPP;
	CHECK(!kernel_tracing_refusal());
	CHECK_INT(k.attempts, 0);
}
